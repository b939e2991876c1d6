// SPDX-License-Identifier: Apache-2.0
// Checks AWS Signature Version 4 as a storage does, from what came over the wire. Shares no code with the
// product's signer but the hashes.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace collect::test {

struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string region;
};

struct ReceivedRequest {
  std::string method;
  std::string raw_path;  // as it came, before '?'
  std::string raw_query;
  std::map<std::string, std::string> headers;  // names in lower case
};

enum class Payloads { are_signed, may_be_unsigned };

// The error code that S3 would answer, or "". `payload_sha256` is that of the bytes that came.
std::string judge_signature(const ReceivedRequest& request, std::string_view payload_sha256,
                            const S3Credentials& credentials, Payloads payloads);
bool has_unsigned_payload(const ReceivedRequest& request);

std::string percent_decoded(std::string_view text);

}  // namespace collect::test
