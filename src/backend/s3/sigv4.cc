// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/sigv4.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hash.h"

namespace collect::s3 {
namespace {

std::string encode(std::string_view text, bool keep_slash) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 0x0fU]};
    }
  }
  return out;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// Spaces around a value do not count, and several in a row are one.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string_view text_of(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string signature(const Credentials& credentials, std::string_view day, std::string_view to_sign) {
  Sha256 key = hmac_sha256("AWS4" + credentials.secret_key, day);
  for (const std::string_view step : {std::string_view(credentials.region), std::string_view("s3"),
                                      std::string_view("aws4_request"), to_sign}) {
    key = hmac_sha256(text_of(key), step);
  }
  return to_hex(key);
}

}  // namespace

std::string encode_path(std::string_view path) {
  return encode(path, true);
}

std::string encode_query(const Query& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query) encoded.emplace_back(encode(name, false), encode(value, false));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string amz_date(Time now) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", std::chrono::floor<std::chrono::seconds>(now));
}

std::vector<net::Header> sign(const Signable& request, const Credentials& credentials, Time now) {
  std::vector<net::Header> headers = request.headers;
  const std::string date = amz_date(now);
  headers.push_back({"x-amz-date", date});
  headers.push_back({"x-amz-content-sha256", request.payload_sha256});

  std::map<std::string, std::string> canonical{{"host", request.host}};
  for (const net::Header& header : headers) canonical[lower(header.name)] = canonical_value(header.value);
  std::string lines;
  std::string names;
  for (const auto& [name, value] : canonical) {
    lines += fmt::format("{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical_request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, encode_path(request.path),
                  encode_query(request.query), lines, names, request.payload_sha256);

  const std::string day = date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, credentials.region);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, scope, to_hex(sha256(canonical_request)));
  headers.push_back(
      {"Authorization",
       fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}", credentials.access_key,
                   scope, names, signature(credentials, day, to_sign))});
  return headers;
}

}  // namespace collect::s3
