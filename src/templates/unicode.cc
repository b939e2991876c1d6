// SPDX-License-Identifier: Apache-2.0
#include "templates/unicode.h"

#include <re2/re2.h>

#include "base/utf8.h"

namespace collect::templates {
namespace {

constexpr char32_t kFirstNonAscii = 0x80;

// RE2 brings the Unicode tables.
bool matches(const RE2& expression, char32_t rune) {
  return is_rune(rune) && RE2::FullMatch(to_utf8(rune), expression);
}

}  // namespace

Rune first_rune(std::string_view text) {
  if (text.empty()) return {};
  const auto size = utf8_length(text);
  if (size == 0) return {kReplacement, 1, false};
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  char32_t value = size == 1 ? byte(0) : byte(0) & (0xFFU >> (size + 1));
  for (std::size_t at = 1; at < size; ++at) value = value << 6 | (byte(at) & 0x3F);
  return {value, size, true};
}

bool is_rune(char32_t value) {
  return value < 0xD800 || (value > 0xDFFF && value <= kMaxRune);
}

std::string to_utf8(char32_t rune) {
  if (!is_rune(rune)) rune = kReplacement;
  if (rune < kFirstNonAscii) return std::string(1, static_cast<char>(rune));
  const std::size_t following = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
  std::string text(1, static_cast<char>((0xFF00U >> (following + 1) & 0xFF) | rune >> 6 * following));
  for (std::size_t left = following; left > 0; --left) {
    text += static_cast<char>(0x80 | (rune >> 6 * (left - 1) & 0x3F));
  }
  return text;
}

bool is_letter_or_digit(char32_t rune) {
  if (rune < kFirstNonAscii) {
    return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || (rune >= '0' && rune <= '9');
  }
  static const RE2 expression(R"([\p{L}\p{Nd}])");
  return matches(expression, rune);
}

bool is_print(char32_t rune) {
  if (rune < kFirstNonAscii) return rune >= ' ' && rune <= '~';
  static const RE2 expression(R"([\p{L}\p{M}\p{N}\p{P}\p{S}])");
  return matches(expression, rune);
}

bool is_blank(std::string_view text) {
  static const RE2 expression(R"((?:[\t\n\v\f\r\x{85}]|\p{Z})*)");
  return RE2::FullMatch(text, expression);
}

}  // namespace collect::templates
