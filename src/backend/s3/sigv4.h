// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 in the Authorization header, for S3
// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/http.h"

namespace collect::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string region;
};

using Query = std::vector<std::pair<std::string, std::string>>;

// Instead of a checksum, where TLS keeps the payload whole.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// What is signed. Nothing in it is encoded yet.
struct Signable {
  std::string method;
  std::string host;                  // as in the Host header
  std::string path;                  // begins with '/'
  Query query;                       // a parameter without value has an empty one
  std::vector<net::Header> headers;  // all of them are signed; values on one line
  std::string payload_sha256;        // 64 hex digits, or kUnsignedPayload
};

// RFC 3986: every byte but letters, digits, '-', '.', '_', '~' as %XX. For paths '/' stays too.
std::string encode_path(std::string_view path);
// "a=1&uploads=": encoded and sorted by name, as signed and as it has to be sent.
std::string encode_query(const Query& query);

// "20130524T000000Z".
std::string amz_date(Time now);

// The headers to send: those of `request`, x-amz-date, x-amz-content-sha256 and Authorization. Host is not
// among them: the client sends it by itself.
std::vector<net::Header> sign(const Signable& request, const Credentials& credentials, Time now);

}  // namespace collect::s3
