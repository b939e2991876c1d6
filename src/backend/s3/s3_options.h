// SPDX-License-Identifier: Apache-2.0
// Which bucket, and how it is spoken to.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "backend/s3/sigv4.h"
#include "base/result.h"
#include "base/settings.h"

namespace collect::s3 {

struct S3Options {
  std::string scheme = "https";
  std::string host;  // with the port where it is not the scheme's own; without the bucket
  std::string bucket;
  bool path_style = false;
  // Parts and objects go with their checksum in the signature; otherwise something else covers them: TLS, or
  // that they do not leave this machine.
  bool sign_payloads = true;
  std::string ca_file;  // PEM; authorities to trust beside the system's; empty: none
  Credentials credentials;
  std::string server_side_encryption;  // x-amz-server-side-encryption; empty: the bucket's own way
  std::size_t part_size = std::size_t{5} * 1024 * 1024;  // bytes; more only where 10,000 parts would not do
  std::uint64_t most_copied = std::uint64_t{5} << 30U;   // bytes in one CopyObject
  std::uint64_t copied_part = std::uint64_t{1} << 30U;   // bytes in one UploadPartCopy
  std::chrono::milliseconds first_pause{200};            // before a call is repeated; it doubles
};

// `invalid` says which setting is wrong and how; never repeats a key.
Result<S3Options> s3_options(const Settings& settings);

}  // namespace collect::s3
