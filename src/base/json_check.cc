// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "base/json_memory.h"
#include "base/utf8.h"

namespace collect::json {
namespace {

constexpr std::size_t kMaxDigitsBeforePoint = 131072;  // PostgreSQL numeric, documentation section 8.1.2
constexpr std::size_t kMaxDigitsAfterPoint = 16383;
constexpr std::int64_t kMaxMagnitude = 308;  // of numbers with an exponent: the largest double is 1.8e308
constexpr std::size_t kKeepParserBelow = 1U << 20U;  // a thread's parser keeps its largest text's memory
constexpr std::size_t kLongRun = 256;                // digits; shorter numbers without exponent always fit

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "line 3, column 14", counting bytes from 1.
std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return fmt::format("line {}, column {}", line, column);
}

Failure fail(std::string_view text, std::size_t offset, std::string_view what) {
  return invalid(fmt::format("{} at {}", what, place(text, offset)));
}

// ---------------------------------------------------------------- escapes

// The code unit of the \uXXXX that starts at `at` (the grammar is checked already), or -1.
int code_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  const auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return error == std::errc() && end == text.data() + at + 6 ? unit : -1;
}

// simdjson lets NUL and lone low surrogates pass; PostgreSQL does not.
Result<void> check_escapes(std::string_view text) {
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const int unit = code_unit(text, at);
    if (unit == 0) return fail(text, at, "the character \\u0000 cannot be stored; it stands");
    if (unit >= 0xDC00 && unit <= 0xDFFF) return fail(text, at, "half a surrogate pair (\\u escape)");
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      const int low = code_unit(text, at + 6);
      if (low < 0xDC00 || low > 0xDFFF) return fail(text, at, "half a surrogate pair (\\u escape)");
      at += 12;
    } else {
      at += unit >= 0 ? 6 : 2;
    }
  }
  return {};
}

// ---------------------------------------------------------------- numbers

// Length of the JSON number at the start of `text` (RFC 8259 section 6), 0 when there is none.
std::size_t number_length(std::string_view text) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const auto run = [&] {
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - first;
  };
  const bool leading_zero = at < text.size() && text[at] == '0';
  const std::size_t integer = run();
  if (integer == 0 || (leading_zero && integer > 1)) return 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (run() == 0) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (run() == 0) return 0;
  }
  return at;
}

// nullptr: the number fits; else what is wrong with it.
const char* number_problem(std::string_view number) {
  const std::size_t mark = number.find_first_of("eE");
  const std::string_view mantissa = number.substr(0, mark);
  const std::size_t point = mantissa.find('.');
  std::string_view before = mantissa.substr(0, point);
  if (before.starts_with('-')) before.remove_prefix(1);
  const std::string_view after = point == std::string_view::npos ? "" : mantissa.substr(point + 1);
  if (before.size() > kMaxDigitsBeforePoint || after.size() > kMaxDigitsAfterPoint) {
    return "a number with more digits than can be stored";
  }
  if (mark == std::string_view::npos) return nullptr;

  std::string_view digits = number.substr(mark + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t exponent = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec != std::errc() ||
      exponent > 1000000 || exponent < -1000000) {
    return "a number out of range";
  }
  // Power of ten of the first significant digit.
  const std::size_t sign = number.starts_with('-') ? 1 : 0;
  const auto whole = static_cast<std::int64_t>(before.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  const bool zero =
      first == std::string_view::npos;  // its exponent still has to be one that PostgreSQL reads
  const auto leading = static_cast<std::int64_t>(zero ? 0 : first - sign);
  const std::int64_t magnitude = exponent + (leading < whole ? whole - 1 - leading : whole - leading);
  if (!zero && magnitude > kMaxMagnitude) return "a number out of range (above 1e308)";
  if (exponent - static_cast<std::int64_t>(after.size()) < -static_cast<std::int64_t>(kMaxDigitsAfterPoint)) {
    return "a number out of range (more than 16383 digits after the point)";
  }
  return nullptr;
}

// Texts are looked through in blocks of fixed length, without branches: the compiler makes vector code of
// that.
constexpr std::size_t kBlock = 64;

// Whether `sign_or_digit` may follow the e of an exponent, which stands between two characters.
bool is_exponent(char before, char mark, char sign_or_digit) {
  const auto digit = [](char c) { return static_cast<unsigned char>(c - '0') < 10; };
  const bool follows = digit(sign_or_digit) | (sign_or_digit == '-') | (sign_or_digit == '+');
  return ((mark | 0x20) == 'e') & digit(before) & follows;
}

// Whether the exponent whose e stands at `mark` needs a closer look.
bool is_unusual_exponent(std::string_view text, std::size_t mark) {
  constexpr std::size_t kUsualDigits = 5;  // fewer are always fine
  const bool negative = text[mark + 1] == '-';
  const std::size_t first = mark + (is_digit(text[mark + 1]) ? 1 : 2);
  const std::size_t end = text.find_first_not_of("0123456789", std::min(first, text.size()));
  const std::size_t digits = std::min(end, text.size()) - std::min(first, text.size());
  // A zero takes any exponent, but PostgreSQL reads it all the same. Its last digit is a 0.
  return digits >= kUsualDigits && (negative || text[mark - 1] == '0');
}

bool has_unusual_exponents(std::string_view text) {
  for (std::size_t at = 1; at + 1 < text.size(); at += kBlock) {
    if (at + kBlock < text.size()) {
      const char* before = text.data() + at - 1;
      unsigned char any = 0;
      for (std::size_t i = 0; i < kBlock; ++i) any |= is_exponent(before[i], before[i + 1], before[i + 2]);
      if (any == 0) continue;
    }
    const std::size_t end = std::min(at + kBlock, text.size() - 1);
    for (std::size_t mark = at; mark < end; ++mark) {
      if (is_exponent(text[mark - 1], text[mark], text[mark + 1]) && is_unusual_exponent(text, mark))
        return true;
    }
  }
  return false;
}

// Whether some number may be beyond what number_problem() allows although the parser took it: it refuses what
// is too large itself, so that leaves many digits, or an exponent of five digits and more below zero. What
// looks like it inside a string counts too; a second look is only slower.
bool has_unusual_numbers(std::string_view text) {
  if (has_unusual_exponents(text)) return true;
  // A run of kLongRun digits covers one of the positions looked at, and half a run on one side of it.
  for (std::size_t at = kLongRun / 2; at < text.size(); at += kLongRun / 2) {
    if (!is_digit(text[at])) continue;
    std::size_t length = 1;
    for (std::size_t i = at; i > 0 && is_digit(text[i - 1]); --i) ++length;
    for (std::size_t i = at + 1; i < text.size() && is_digit(text[i]); ++i) ++length;
    if (length >= kLongRun) return true;
    at += length;
  }
  return false;
}

// Checks every number outside strings and replaces it by 0 in `text`, so that the parser, which knows no
// integers above 64 bits, can judge the rest. Strings are skipped by their quotes and escapes only.
Result<void> check_numbers(std::string& text) {
  const std::string_view view = text;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
      ++at;
    } else if (text[at] == '-' || is_digit(text[at])) {
      const std::size_t length = number_length(view.substr(at));
      if (length == 0) return fail(view, at, "something that starts like a number and is none");
      if (const char* problem = number_problem(view.substr(at, length)); problem != nullptr) {
        return fail(view, at, problem);
      }
      text[at] = '0';
      std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at) + 1, length - 1, ' ');
      at += length;
    } else {
      ++at;
    }
  }
  return {};
}

// ---------------------------------------------------------------- the whole

simdjson::error_code parse(std::string_view text) {
  if (text.size() >= kKeepParserBelow) {
    simdjson::dom::parser large;
    if (const auto error = about_the_text(large.allocate(text.size(), kMaxDepth + 1)); error) return error;
    return about_the_text(large.parse(text.data(), text.size()).error());
  }
  thread_local simdjson::dom::parser parser;
  if (parser.capacity() == 0) {
    if (const auto error = about_the_text(parser.allocate(1U << 16U, kMaxDepth + 1)); error) return error;
  }
  return about_the_text(parser.parse(text.data(), text.size()).error());
}

std::size_t first_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return text.size();
}

std::size_t where_too_deep(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (text[i] == '[' || text[i] == '{') {
      if (++depth > kMaxDepth) return i;
    } else if (text[i] == ']' || text[i] == '}') {
      if (depth > 0) --depth;
    }
  }
  return text.size();
}

bool may_be_too_deep(std::string_view text) {
  const auto opens = [](char c) { return (c | 0x20) == '{'; };  // a [ too
  std::size_t count = 0;
  std::size_t at = 0;
  for (; at + kBlock <= text.size(); at += kBlock) {
    unsigned char of_block = 0;
    for (std::size_t i = 0; i < kBlock; ++i) of_block += static_cast<unsigned char>(opens(text[at + i]));
    count += of_block;
  }
  for (; at < text.size(); ++at) count += static_cast<std::size_t>(opens(text[at]));
  return count > kMaxDepth;
}

// Where the on-demand walk stops is where a person would look; the DOM parser does not say. The walk has no
// limit of its own, so that brackets without end would be the end of the stack.
std::size_t where_broken(std::string_view text) {
  namespace od = simdjson::ondemand;
  const simdjson::padded_string padded = padded_copy(text);
  od::parser parser;
  od::document document;
  if (parser.iterate(padded).get(document)) return 0;
  const auto walk = [](auto& self, od::value value, std::size_t levels_left) -> void {
    if (levels_left == 0) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
    switch (value.type().value()) {
      case od::json_type::object:
        for (auto field : value.get_object()) {
          (void)field.unescaped_key().value();
          self(self, field.value().value(), levels_left - 1);
        }
        break;
      case od::json_type::array:
        for (auto element : value.get_array()) self(self, element.value(), levels_left - 1);
        break;
      case od::json_type::string:
        (void)value.get_string().value();
        break;
      case od::json_type::number:
        (void)value.get_number().value();
        break;
      case od::json_type::boolean:
        (void)value.get_bool().value();
        break;
      case od::json_type::null:
        if (!simdjson::simdjson_result<bool>(value.is_null()).value()) {
          throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
        }
    }
  };
  try {
    walk(walk, document.get_value().value(), kMaxDepth + 1);
  } catch (const simdjson::simdjson_error&) {
  }
  const char* at = nullptr;
  if (document.current_location().get(at) || at == nullptr) return text.size();
  return static_cast<std::size_t>(at - padded.data());
}

Failure explain(simdjson::error_code error, std::string_view text) {
  const auto too_deep = [text](std::size_t at) {
    return fail(text, at, fmt::format("nesting deeper than {} levels", kMaxDepth));
  };
  switch (error) {
    case simdjson::EMPTY:
      return invalid("empty, expected a JSON value");
    case simdjson::UTF8_ERROR:
      return fail(text, first_invalid_utf8(text), "bytes that are not UTF-8");
    case simdjson::DEPTH_ERROR:
      return too_deep(where_too_deep(text));
    case simdjson::UNCLOSED_STRING:
      return fail(text, text.size(), "not JSON: a string is not closed before the end,");
    default:
      // One whose last bracket does not fit its first is broken before anybody counts levels.
      if (const auto at = where_too_deep(text); at < text.size()) return too_deep(at);
      return fail(text, where_broken(text), fmt::format("not JSON: {},", [error] {
                    switch (error) {
                      case simdjson::STRING_ERROR:
                        return "a broken string or escape";
                      case simdjson::UNESCAPED_CHARS:
                        return "a control character inside a string";
                      case simdjson::CAPACITY:
                        return "too large to parse";
                      default:
                        return "something unexpected";
                    }
                  }()));
  }
}

}  // namespace

Result<void> check(std::string_view text) {
  simdjson::error_code error = parse(text);
  // The parser does not count an empty container as a level.
  if (error == simdjson::SUCCESS && may_be_too_deep(text) && where_too_deep(text) < text.size()) {
    error = simdjson::DEPTH_ERROR;
  }
  if (error == simdjson::NUMBER_ERROR || (error == simdjson::SUCCESS && has_unusual_numbers(text))) {
    std::string blanked(text);
    if (auto numbers = check_numbers(blanked); !numbers) return numbers.failure();
    error = parse(blanked);
  }
  // Half a surrogate pair deserves a better sentence than "a broken string".
  if (error == simdjson::SUCCESS || error == simdjson::STRING_ERROR) {
    if (auto escapes = check_escapes(text); !escapes) return escapes.failure();
  }
  if (error != simdjson::SUCCESS) return explain(error, text);
  return {};
}

}  // namespace collect::json
