// SPDX-License-Identifier: Apache-2.0
#include "templates/literals.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "templates/unicode.h"

namespace collect::templates {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// 16 and more for what is no digit at all.
unsigned digit(char c) {
  return static_cast<unsigned>(std::min(kDigits.find(lower(c)), kDigits.size()));
}

bool has_prefix(std::string_view text, std::string_view letters) {
  return text.size() >= 2 && text[0] == '0' && letters.find(lower(text[1])) != std::string_view::npos;
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return text;
}

// An underscore stands between two digits, or between the base's prefix and a digit.
bool underscores_separate(std::string_view text) {
  text = without_sign(text);
  const bool prefixed = has_prefix(text, "box");
  const unsigned base = has_prefix(text, "x") ? 16 : 10;
  bool after_digit = prefixed;
  bool after_underscore = false;
  for (const char c : text.substr(prefixed ? 2 : 0)) {
    const bool is_underscore = c == '_';
    if (is_underscore && !after_digit) return false;
    if (after_underscore && digit(c) >= base) return false;
    after_digit = digit(c) < base;
    after_underscore = is_underscore;
  }
  return !after_underscore;
}

std::string without_underscores(std::string_view text) {
  std::string clean(text);
  std::erase(clean, '_');
  return clean;
}

std::optional<std::uint64_t> read_unsigned(std::string_view text) {
  if (text.empty() || !underscores_separate(text)) return std::nullopt;
  int base = 10;
  std::string_view digits = text;
  if (text.size() >= 3 && has_prefix(text, "box")) {
    base = has_prefix(text, "b") ? 2 : has_prefix(text, "o") ? 8 : 16;
    digits.remove_prefix(2);
  } else if (text[0] == '0') {
    base = 8;
  }
  const auto clean = without_underscores(digits);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(clean.data(), clean.data() + clean.size(), value, base);
  if (error != std::errc() || end != clean.data() + clean.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> read_signed(std::string_view text) {
  const auto magnitude = read_unsigned(without_sign(text));
  if (!magnitude) return std::nullopt;
  const bool negative = text[0] == '-';
  const std::uint64_t limit = std::numeric_limits<std::int64_t>::max() + std::uint64_t{negative};
  if (*magnitude > limit) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude);
}

// The parts of a float without sign, prefix and underscores: digits, one point, exponent.
struct FloatText {
  std::string digits;    // with the point
  std::string exponent;  // with its sign, "" where none was written
  bool hexadecimal = false;
};

std::optional<FloatText> split_float(std::string_view text) {
  if (text.find('_') != std::string_view::npos && !underscores_separate(text)) return std::nullopt;
  const auto clean = without_underscores(without_sign(text));
  FloatText parts;
  parts.hexadecimal = clean.size() > 2 && has_prefix(clean, "x");
  const unsigned base = parts.hexadecimal ? 16 : 10;
  std::size_t at = parts.hexadecimal ? 2 : 0;
  bool point = false;
  for (; at < clean.size(); ++at) {
    if (clean[at] == '.' && !point) {
      point = true;
    } else if (digit(clean[at]) >= base) {
      break;
    }
    parts.digits += clean[at];
  }
  if (parts.digits.size() == (point ? 1 : 0)) return std::nullopt;
  if (at == clean.size()) return parts.hexadecimal ? std::nullopt : std::optional(parts);
  if (lower(clean[at]) != (parts.hexadecimal ? 'p' : 'e')) return std::nullopt;
  parts.exponent = clean.substr(at + 1);
  const auto exponent = without_sign(parts.exponent);
  if (exponent.empty() || !std::all_of(exponent.begin(), exponent.end(), is_digit)) return std::nullopt;
  return parts;
}

// Whether a number that no double holds is too large rather than too small: its first digit that counts
// stands left of the point.
bool is_large(const FloatText& parts) {
  const auto first = parts.digits.find_first_not_of("0.");
  const auto point = std::min(parts.digits.find('.'), parts.digits.size());
  const auto places = static_cast<double>(point) - static_cast<double>(first);
  double exponent = 0;
  for (const char c : without_sign(parts.exponent)) exponent = exponent * 10 + (c - '0');
  if (parts.exponent.starts_with('-')) exponent = -exponent;
  return exponent + places * (parts.hexadecimal ? 4 : 1) > 0;
}

std::optional<double> read_float(std::string_view text) {
  const auto parts = split_float(text);
  if (!parts) return std::nullopt;
  auto plain = parts->digits;
  if (!parts->exponent.empty()) {
    plain += parts->hexadecimal ? 'p' : 'e';
    plain += parts->exponent;
  }
  const auto format = parts->hexadecimal ? std::chars_format::hex : std::chars_format::general;
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value, format);
  if (error == std::errc::result_out_of_range) {
    if (is_large(*parts)) return std::nullopt;
    value = 0;
  } else if (error != std::errc() || end != plain.data() + plain.size()) {
    return std::nullopt;
  }
  return text[0] == '-' ? -value : value;
}

struct Unquoted {
  char32_t value = 0;
  bool is_byte = false;  // \x and \ooo in a string are bytes, whatever they spell
  std::size_t size = 0;
};

std::optional<Unquoted> read_code(std::string_view digits, std::size_t count, unsigned base) {
  if (digits.size() < count) return std::nullopt;
  char32_t value = 0;
  for (const char c : digits.substr(0, count)) {
    if (digit(c) >= base) return std::nullopt;
    value = value * base + digit(c);
  }
  return Unquoted{value, false, count};
}

std::optional<Unquoted> read_escape(std::string_view text, char quote) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (text.size() < 2) return std::nullopt;
  const char c = text[1];
  if (const auto at = kLetters.find(c); at != std::string_view::npos) {
    return Unquoted{static_cast<unsigned char>(kMeanings[at]), true, 2};
  }
  if (c == '\'' || c == '"') {
    return c == quote ? std::optional(Unquoted{static_cast<unsigned char>(c), true, 2}) : std::nullopt;
  }
  if (c >= '0' && c <= '7') {
    const auto code = read_code(text.substr(1), 3, 8);
    return code && code->value <= 0xFF ? std::optional(Unquoted{code->value, true, 4}) : std::nullopt;
  }
  const std::size_t count = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  const auto code = read_code(text.substr(2), count, 16);
  if (count == 0 || !code || (c != 'x' && !is_rune(code->value))) return std::nullopt;
  return Unquoted{code->value, c == 'x', count + 2};
}

std::optional<Unquoted> read_quoted_character(std::string_view text, char quote) {
  if (text.empty() || text[0] == quote || text[0] == '\n') return std::nullopt;
  if (text[0] == '\\') return read_escape(text, quote);
  const auto rune = first_rune(text);
  return Unquoted{rune.value, false, rune.size};
}

}  // namespace

std::optional<Number> read_number(std::string_view text) {
  if (text.ends_with('i')) {
    const auto imaginary = read_float(text.substr(0, text.size() - 1));
    if (!imaginary) return std::nullopt;
    return Number{std::complex<double>(0, *imaginary)};
  }
  if (const auto integer = read_signed(text)) return Number{*integer};
  if (read_unsigned(text)) return Number{{}, true};
  const auto real = read_float(text);
  // What reads as a float but looks like an integer is one that is too large.
  if (!real || text.find_first_of(".eEpP") == std::string_view::npos) return std::nullopt;
  return Number{*real};
}

std::optional<Value> read_complex(std::string_view text) {
  // The sign that starts the imaginary part is the last one that belongs to no exponent.
  for (auto at = text.find_last_of("+-"); at != std::string_view::npos && at > 0;
       at = text.find_last_of("+-", at - 1)) {
    const auto real = read_float(text.substr(0, at));
    const auto imaginary = read_float(text.substr(at, text.size() - at - 1));
    if (real && imaginary) return std::complex<double>(*real, *imaginary);
  }
  return std::nullopt;
}

std::optional<Value> read_character(std::string_view text) {
  const auto character = read_quoted_character(text.substr(1), '\'');
  if (!character || text.substr(1 + character->size) != "'") return std::nullopt;
  return static_cast<std::int64_t>(character->value);
}

std::optional<std::string> read_string(std::string_view text) {
  const char quote = text[0];
  auto rest = text.substr(1, text.size() - 2);
  std::string value;
  if (quote == '`') {
    value = rest;
    std::erase(value, '\r');
    return value;
  }
  while (!rest.empty()) {
    const auto character = read_quoted_character(rest, quote);
    if (!character) return std::nullopt;
    if (character->is_byte) {
      value += static_cast<char>(character->value);
    } else {
      value += to_utf8(character->value);
    }
    rest.remove_prefix(character->size);
  }
  return value;
}

}  // namespace collect::templates
