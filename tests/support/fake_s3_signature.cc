// SPDX-License-Identifier: Apache-2.0
#include "support/fake_s3_signature.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <sstream>
#include <vector>

#include "base/hash.h"

namespace collect::test {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
  const Sha256 hash = hmac_sha256(key, text);
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::string after(const std::string& text, const std::string& name) {
  const auto found = text.find(name);
  if (found == std::string::npos) return "";
  const auto begin = found + name.size();
  return text.substr(begin, text.find_first_of(", ", begin) - begin);
}

std::string encoded(const std::string& text, bool path) {
  std::ostringstream out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-._~").find(c) != std::string::npos || (path && c == '/')) {
      out << c;
    } else {
      static const char* digits = "0123456789ABCDEF";
      out << '%' << digits[static_cast<unsigned char>(c) / 16] << digits[static_cast<unsigned char>(c) % 16];
    }
  }
  return out.str();
}

std::string canonical_query(const std::string& raw) {
  std::vector<std::string> parts;
  for (const std::string& part : split(raw, '&')) {
    const auto equals = part.find('=');
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    parts.push_back(encoded(percent_decoded(part.substr(0, equals)), false) + "=" +
                    encoded(percent_decoded(value), false));
  }
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "&") + part;
  return out;
}

bool is_now(const std::string& date) {
  std::tm fields{};
  if (::strptime(date.c_str(), "%Y%m%dT%H%M%SZ", &fields) == nullptr) return false;
  return std::abs(::timegm(&fields) - std::time(nullptr)) < 900;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() + 0 && from_hex(text.substr(i + 1, 2))) {
      out += *from_hex(text.substr(i + 1, 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_unsigned_payload(const ReceivedRequest& request) {
  const auto found = request.headers.find("x-amz-content-sha256");
  return found != request.headers.end() && found->second == "UNSIGNED-PAYLOAD";
}

std::string judge_signature(const ReceivedRequest& request, std::string_view payload_sha256,
                            const S3Credentials& credentials, Payloads payloads) {
  const auto header = [&](const std::string& name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string() : found->second;
  };
  const std::string authorization = header("authorization");
  if (!authorization.starts_with("AWS4-HMAC-SHA256 ")) return "AccessDenied";
  const std::string date = header("x-amz-date");
  if (!is_now(date)) return "RequestTimeTooSkewed";
  const std::string claimed = header("x-amz-content-sha256");
  const bool without = payloads == Payloads::may_be_unsigned && has_unsigned_payload(request);
  if (!without && claimed != payload_sha256) return "XAmzContentSHA256Mismatch";
  const std::string scope = date.substr(0, 8) + "/" + credentials.region + "/s3/aws4_request";
  const std::string credential = after(authorization, "Credential=");
  if (!credential.starts_with(credentials.access_key + "/")) return "InvalidAccessKeyId";
  if (credential != credentials.access_key + "/" + scope) return "AuthorizationHeaderMalformed";

  const std::string signed_names = after(authorization, "SignedHeaders=");
  const auto names = split(signed_names, ';');
  for (const auto& [name, value] : request.headers) {
    if ((name == "host" || name.starts_with("x-amz-")) &&
        std::find(names.begin(), names.end(), name) == names.end()) {
      return "AccessDenied";  // "There were headers present in the request which were not signed"
    }
  }
  std::string canonical = request.method + "\n" + encoded(percent_decoded(request.raw_path), true) + "\n" +
                          canonical_query(request.raw_query) + "\n";
  for (const std::string& name : names) canonical += name + ":" + header(name) + "\n";
  canonical += "\n" + signed_names + "\n" + claimed;
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + to_hex(sha256(canonical));
  std::string key = hmac("AWS4" + credentials.secret_key, date.substr(0, 8));
  for (const std::string& step : {credentials.region, std::string("s3"), std::string("aws4_request")})
    key = hmac(key, step);
  return after(authorization, "Signature=") == to_hex(hmac(key, to_sign)) ? "" : "SignatureDoesNotMatch";
}

}  // namespace collect::test
