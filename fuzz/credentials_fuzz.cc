// SPDX-License-Identifier: Apache-2.0
// systems/authenticator and systems/credential: the Authorization header, and what it says.
#include <algorithm>
#include <cctype>
#include <optional>

#include "base/hash.h"
#include "fuzz/fuzz.h"
#include "systems/authenticator.h"

namespace collect::fuzz {
namespace {

// RFC 4648 section 4, bit by bit.
std::optional<std::string> plain_base64(std::string_view text) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) text.remove_suffix(1), ++padding;
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(digit)) & 0xFFFFU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
  }
  return out;
}

bool same_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

std::optional<systems::BasicCredentials> plainly(std::string_view header) {
  if (header.size() > 2048 || !same_word(header.substr(0, 5), "basic")) return std::nullopt;
  header.remove_prefix(5);
  if (!header.starts_with(' ')) return std::nullopt;
  while (header.starts_with(' ')) header.remove_prefix(1);
  const auto decoded = header.empty() ? std::nullopt : plain_base64(header);
  if (!decoded || decoded->find(':') == std::string::npos) return std::nullopt;
  const std::string user = decoded->substr(0, decoded->find(':'));
  if (user.empty() || user.size() > 255) return std::nullopt;
  for (const char c : user) {
    if (c < '!' || c > '~') return std::nullopt;
  }
  return systems::BasicCredentials{user, decoded->substr(user.size() + 1)};
}

void hold_secret(std::string_view text) {
  const auto parts = systems::parse_system_secret(text);
  if (!parts) return;
  const std::string again = "my_" + std::string(parts->public_part) + "." + std::string(parts->secret_part);
  hold(again == text, "a secret is its two parts");
  const systems::StoredSecret stored{std::string(parts->public_part),
                                     systems::salted_sha256("0123456789abcdef", parts->secret_part)};
  hold(systems::verify_secret(*parts, stored), "a secret is right where it is stored");
  hold(!systems::verify_secret(*parts, std::nullopt), "a secret that nobody has is wrong");
  const std::string other = std::string(parts->secret_part) + "x";
  hold(!systems::verify_secret({parts->public_part, other}, stored), "another secret is wrong");
}

void hold_header(std::string_view header) {
  const auto read = systems::parse_basic(header);
  const auto plain = plainly(header);
  hold(read.has_value() == plain.has_value(), "a plain reader accepts the same headers");
  if (!read) return;
  hold(read->user == plain->user && read->password == plain->password, "a plain reader reads the same");
  hold_secret(read->password);
}

}  // namespace

void run(std::string_view input) {
  hold_header(input);
  hold_secret(input);
  const std::string encoded = to_base64(input);
  hold(from_base64(encoded) == std::string(input), "base64 is read as it was written");
  hold_header("Basic " + encoded);
  if (const auto bytes = from_hex(input)) {
    hold(same_word(input, to_hex(std::string_view(*bytes))), "hex is read as it was written");
  }
  // The stored side is what somebody else's program wrote.
  const systems::StoredSecret foreign{"a", std::string(input)};
  hold(!systems::verify_secret({"a", "b"}, foreign), "what is stored wrongly is nobody's secret");
  if (systems::is_system_key(input)) {
    hold(input.size() == 43 || input.size() == 44, "a key has its length");
    hold(plainly("Basic " + to_base64(std::string(input) + ":s")).has_value(), "a key can log in");
  }
}

}  // namespace collect::fuzz
