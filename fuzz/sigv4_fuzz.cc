// SPDX-License-Identifier: Apache-2.0
// backend/s3/sigv4: signatures, against a second computation that follows Amazon's page step by step.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "backend/s3/sigv4.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {
namespace {

constexpr Time kNow{std::chrono::seconds(1'369'353'600)};  // 2013-05-24, as in Amazon's examples
const s3::Credentials kCredentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                   "us-east-1"};

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += digits;
  }
  return out;
}

std::string hash(std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<const char*>(out), size});
}

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

std::string uri_encode(std::string_view text, std::string_view also_plain) {
  static constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos || also_plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    char digits[4];
    std::snprintf(digits, sizeof digits, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += digits;
  }
  return out;
}

std::string squeezed(std::string text) {
  for (std::size_t at; (at = text.find("  ")) != std::string::npos;) text.erase(at, 1);
  if (text.starts_with(' ')) text.erase(0, 1);
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string authorization(const s3::Signable& request) {
  std::map<std::string, std::string> headers;
  for (const auto& [given, value] : request.headers) {
    std::string name = given;
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    headers[name] = squeezed(value);
  }
  headers["host"] = request.host;
  headers["x-amz-date"] = "20130524T000000Z";
  headers["x-amz-content-sha256"] = request.payload_sha256;
  std::string canonical_headers;
  std::string signed_headers;
  for (const auto& [name, value] : headers) {
    canonical_headers.append(name).append(":").append(value).append("\n");
    signed_headers.append(signed_headers.empty() ? "" : ";").append(name);
  }
  std::multimap<std::string, std::string> pairs;
  for (const auto& [name, value] : request.query) pairs.emplace(uri_encode(name, ""), uri_encode(value, ""));
  std::vector<std::pair<std::string, std::string>> sorted(pairs.begin(), pairs.end());
  std::sort(sorted.begin(), sorted.end());
  std::string query;
  for (const auto& [name, value] : sorted)
    query.append(query.empty() ? "" : "&").append(name).append("=").append(value);
  hold(query == s3::encode_query(request.query), "a query is encoded as Amazon says");
  hold(uri_encode(request.path, "/") == s3::encode_path(request.path), "a path is encoded as Amazon says");

  std::string canonical = request.method + "\n" + uri_encode(request.path, "/") + "\n" + query + "\n";
  canonical += canonical_headers + "\n" + signed_headers + "\n" + request.payload_sha256;
  const std::string scope = "20130524/us-east-1/s3/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n20130524T000000Z\n" + scope + "\n" + hash(canonical);
  const std::string key =
      hmac(hmac(hmac(hmac("AWS4" + kCredentials.secret_key, "20130524"), "us-east-1"), "s3"), "aws4_request");
  return "AWS4-HMAC-SHA256 Credential=" + kCredentials.access_key + "/" + scope +
         ",SignedHeaders=" + signed_headers + ",Signature=" + hex(hmac(key, to_sign));
}

s3::Signable request_of(std::string_view input) {
  s3::Signable request;
  request.method = take_number(input) % 2 == 0 ? "GET" : "PUT";
  request.host = "bucket.s3.example.org";
  request.path = "/" + std::string(take_part(input, '\n'));
  request.payload_sha256 = hash(input);
  while (!input.empty()) {
    std::string_view line = take_part(input, '\n');
    const bool header = line.starts_with(':');
    if (header) line.remove_prefix(1);
    const std::string name(take_part(line, '='));
    if (header) {
      // Each once, as the store sends them; what follows the prefix is any token.
      std::string safe = "X-Amz-Meta-" + std::to_string(request.headers.size());
      for (const char c : name) safe += net::is_token_char(c) ? c : '-';
      request.headers.push_back({safe, std::string(line)});
    } else {
      request.query.emplace_back(name, line);
    }
  }
  return request;
}

}  // namespace

void run(std::string_view input) {
  const s3::Signable request = request_of(input);
  const auto headers = s3::sign(request, kCredentials, kNow);
  hold(headers.size() == request.headers.size() + 3, "date, checksum and signature are added");
  hold(headers.back().name == "Authorization" && headers.back().value == authorization(request),
       "a plain computation signs the same");
}

}  // namespace collect::fuzz
