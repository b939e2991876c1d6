// SPDX-License-Identifier: Apache-2.0
#include "systems/credential.h"

#include <algorithm>

#include "base/hash.h"
#include "base/ids.h"

namespace collect::systems {
namespace {

constexpr std::string_view kPrefix = "my_";
constexpr std::size_t kMaxPublic = 64;
constexpr std::size_t kMaxSecret = 512;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kKeyGroups = 8;
constexpr std::size_t kGroupDigits = 4;

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_part(std::string_view text, std::size_t longest) {
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '.'; });
}

struct SaltAndDigest {
  std::string salt, digest;  // raw bytes
};

std::optional<SaltAndDigest> parse_stored(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto salt = from_hex(text.substr(0, colon));
  auto digest = from_hex(text.substr(colon + 1));
  if (!salt || salt->size() != kSaltBytes || !digest || digest->size() != Sha256{}.size())
    return std::nullopt;
  return SaltAndDigest{std::move(*salt), std::move(*digest)};
}

Sha256 digest_of(std::string_view salt, std::string_view secret_part) {
  std::string salted(salt);
  salted += secret_part;
  return sha256(salted);
}

}  // namespace

std::string new_system_key() {
  const std::string digits = random_hex(kKeyGroups * kGroupDigits / 2);
  std::string key = "NETH";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i % kGroupDigits == 0) key += '-';
    const char c = digits[i];
    key += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return key;
}

bool is_system_key(std::string_view text) {
  if (text.starts_with("NETH-")) {
    text.remove_prefix(5);
  } else if (text.starts_with("NOC-")) {
    text.remove_prefix(4);
  } else {
    return false;
  }
  constexpr std::size_t kGroup = kGroupDigits + 1;
  if (text.size() != kKeyGroups * kGroup - 1) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % kGroup == kGroupDigits ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

std::optional<SecretParts> parse_system_secret(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const SecretParts parts{text.substr(0, dot), text.substr(dot + 1)};
  if (!is_part(parts.public_part, kMaxPublic) || !is_part(parts.secret_part, kMaxSecret)) return std::nullopt;
  return parts;
}

NewSecret new_system_secret(std::size_t min_length) {
  const std::size_t length = std::clamp<std::size_t>(min_length, 40, kMaxSecret);
  const std::string public_part = random_hex(10);
  const std::string secret_part = random_hex((length + 1) / 2).substr(0, length);
  const std::string salt = from_hex(random_hex(kSaltBytes)).value();
  return {std::string(kPrefix) + public_part + "." + secret_part,
          {public_part, salted_sha256(salt, secret_part)}};
}

std::string salted_sha256(std::string_view salt, std::string_view secret_part) {
  return to_hex(salt) + ":" + to_hex(digest_of(salt, secret_part));
}

bool verify_secret(const SecretParts& given, const std::optional<StoredSecret>& stored) {
  std::optional<SaltAndDigest> expected;
  if (stored) expected = parse_stored(stored->secret_sha256);
  const bool readable = expected.has_value();
  if (!readable) expected = SaltAndDigest{std::string(kSaltBytes, '\0'), std::string(Sha256{}.size(), '\0')};

  const Sha256 digest = digest_of(expected->salt, given.secret_part);
  const std::string_view digest_text(reinterpret_cast<const char*>(digest.data()), digest.size());
  const bool secret_right = equal_constant_time(digest_text, expected->digest);
  const bool public_right = equal_constant_time(given.public_part, stored ? stored->public_part : "");
  return secret_right && public_right && readable;
}

}  // namespace collect::systems
