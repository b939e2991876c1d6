// SPDX-License-Identifier: Apache-2.0
#include "templates/lexer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "templates/unicode.h"

namespace collect::templates {
namespace {

using Type = Token::Type;

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::size_t kTrimMarker = 2;  // the minus and its space

constexpr std::array<std::pair<std::string_view, Type>, 13> kWords = {{{"block", Type::block},
                                                                       {"break", Type::break_word},
                                                                       {"continue", Type::continue_word},
                                                                       {"define", Type::define},
                                                                       {"else", Type::else_word},
                                                                       {"end", Type::end},
                                                                       {"if", Type::if_word},
                                                                       {"range", Type::range},
                                                                       {"nil", Type::nil},
                                                                       {"template", Type::template_word},
                                                                       {"with", Type::with},
                                                                       {"true", Type::boolean},
                                                                       {"false", Type::boolean}}};

bool is_space(char c) {
  return kSpaces.find(c) != std::string_view::npos;
}

bool trims_left(std::string_view text) {
  return text.size() >= kTrimMarker && text[0] == '-' && is_space(text[1]);
}

bool trims_right(std::string_view text) {
  return text.size() >= kTrimMarker && is_space(text[0]) && text[1] == '-' &&
         text.substr(kTrimMarker).starts_with(kRight);
}

std::size_t leading_spaces(std::string_view text) {
  return std::min(text.find_first_not_of(kSpaces), text.size());
}

std::string_view without_trailing_spaces(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

}  // namespace

Token Lexer::next() {
  return in_action_ ? inside() : outside();
}

Token Lexer::token(Type type) {
  line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                               text_.begin() + static_cast<std::ptrdiff_t>(start_), '\n'));
  counted_ = start_;
  const Token token{type, text_.substr(start_, at_ - start_), line_};
  start_ = at_;
  return token;
}

Token Lexer::error(std::string_view expected) {
  auto failed = token(Type::error);
  failed.text = expected;
  in_action_ = false;
  at_ = start_ = text_.size();
  return failed;
}

Token Lexer::outside() {
  while (at_ < text_.size()) {
    const auto left = std::min(text_.find(kLeft, at_), text_.size());
    const auto after = text_.substr(std::min(left + kLeft.size(), text_.size()));
    const bool trimmed = trims_left(after);
    start_ = at_;
    at_ = left;
    auto text = token(Type::text);
    if (trimmed) text.text = without_trailing_spaces(text.text);
    if (!text.text.empty()) return text;
    const auto marker = trimmed ? kTrimMarker : 0;
    if (after.substr(marker).starts_with("/*")) {
      at_ += kLeft.size() + marker;
      if (!skip_comment()) return error("a comment expects its */ and right after it }}");
      continue;
    }
    at_ += kLeft.size();
    const auto delimiter = token(Type::left_delimiter);
    at_ += marker;
    start_ = at_;
    in_action_ = true;
    open_parentheses_ = 0;
    return delimiter;
  }
  start_ = at_;
  return token(Type::end_of_text);
}

bool Lexer::skip_comment() {
  const auto end = text_.find("*/", at_ + 2);
  if (end == std::string_view::npos) return false;
  at_ = end + 2;
  const bool trimmed = trims_right(rest());
  if (!trimmed && !rest().starts_with(kRight)) return false;
  at_ += kRight.size() + (trimmed ? kTrimMarker : 0);
  if (trimmed) at_ += leading_spaces(rest());
  start_ = at_;
  return true;
}

Token Lexer::inside() {
  start_ = at_;
  if (trims_right(rest()) || rest().starts_with(kRight)) {
    return open_parentheses_ == 0 ? right_delimiter() : error("a left parenthesis expects a right one");
  }
  if (rest().empty()) return error("an action expects }} at its end");
  const char c = rest()[0];
  if (is_space(c)) return space();
  const bool point_starts_number = rest().size() > 1 && rest()[1] >= '0' && rest()[1] <= '9';
  if (c == '+' || c == '-' || (c >= '0' && c <= '9') || (c == '.' && point_starts_number)) return number();
  if (at_alphanumeric()) return word();
  return symbol();
}

Token Lexer::symbol() {
  const auto rune = first_rune(rest());
  at_ += rune.size;
  switch (rune.value) {
    case '=':
      return token(Type::assign);
    case ':':
      return take_any("=") ? token(Type::declare) : error("a colon expects = after it");
    case '|':
      return token(Type::pipe);
    case ',':
      return token(Type::comma);
    case '"':
      return quoted('"', Type::string);
    case '`':
      return quoted('`', Type::string);
    case '\'':
      return quoted('\'', Type::character);
    case '$':
      return name(Type::variable);
    case '.':
      return name(Type::field);
    case '(':
      ++open_parentheses_;
      return token(Type::left_parenthesis);
    case ')':
      if (open_parentheses_ == 0) return error("a right parenthesis expects a left one before it");
      --open_parentheses_;
      return token(Type::right_parenthesis);
    default:
      break;
  }
  constexpr char32_t kLastAscii = 0x7F;
  if (rune.value <= kLastAscii && is_print(rune.value)) return token(Type::other);
  return error("an action expects no such character");
}

Token Lexer::right_delimiter() {
  const bool trimmed = trims_right(rest());
  at_ += trimmed ? kTrimMarker : 0;
  start_ = at_;
  at_ += kRight.size();
  const auto delimiter = token(Type::right_delimiter);
  if (trimmed) at_ += leading_spaces(rest());
  in_action_ = false;
  return delimiter;
}

Token Lexer::space() {
  at_ += leading_spaces(rest());
  // The last of them may belong to a trim marker.
  if (trims_right(text_.substr(at_ - 1))) --at_;
  return token(Type::space);
}

bool Lexer::at_alphanumeric() const {
  const auto rune = first_rune(rest());
  return rune.valid && (rune.value == '_' || is_letter_or_digit(rune.value));
}

bool Lexer::at_terminator() const {
  if (rest().empty() || is_space(rest()[0])) return true;
  return std::string_view(".,|:)(").find(rest()[0]) != std::string_view::npos || rest().starts_with(kRight);
}

Token Lexer::word() {
  while (at_alphanumeric()) at_ += first_rune(rest()).size;
  if (!at_terminator()) return error("a name expects a space or a delimiter after it");
  const auto word = text_.substr(start_, at_ - start_);
  const auto* const found =
      std::find_if(kWords.begin(), kWords.end(), [&](const auto& known) { return known.first == word; });
  return token(found == kWords.end() ? Type::identifier : found->second);
}

Token Lexer::name(Type type) {
  if (at_terminator()) return token(type == Type::field ? Type::dot : type);
  while (at_alphanumeric()) at_ += first_rune(rest()).size;
  if (!at_terminator()) return error("a name expects a space or a delimiter after it");
  return token(type);
}

Token Lexer::quoted(char quote, Type type) {
  const bool raw = quote == '`';
  for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
    if (!raw && text_[at_] == '\\') ++at_;
    if (at_ >= text_.size() || (!raw && text_[at_] == '\n'))
      return error("a quoted text expects its closing quote");
  }
  if (at_ >= text_.size()) return error("a quoted text expects its closing quote");
  ++at_;
  return token(type);
}

Token Lexer::number() {
  constexpr std::string_view kExpected = "a number is followed by something that is none of its digits";
  if (!scan_number()) return error(kExpected);
  if (!rest().starts_with('+') && !rest().starts_with('-')) return token(Type::number);
  if (!scan_number() || text_[at_ - 1] != 'i') return error(kExpected);
  return token(Type::complex);
}

// Not exact ("089" passes): reading the literal is.
bool Lexer::scan_number() {
  constexpr std::string_view kDecimal = "0123456789_";
  constexpr std::string_view kHexadecimal = "0123456789abcdefABCDEF_";
  take_any("+-");
  auto digits = kDecimal;
  if (take_any("0")) {
    if (take_any("xX")) {
      digits = kHexadecimal;
    } else if (take_any("oO")) {
      digits = "01234567_";
    } else if (take_any("bB")) {
      digits = "01_";
    }
  }
  take_run(digits);
  if (take_any(".")) take_run(digits);
  const bool has_exponent =
      (digits == kDecimal && take_any("eE")) || (digits == kHexadecimal && take_any("pP"));
  if (has_exponent) {
    take_any("+-");
    take_run(kDecimal);
  }
  take_any("i");
  return !at_alphanumeric();
}

bool Lexer::take_any(std::string_view characters) {
  const bool found = at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos;
  at_ += found ? 1 : 0;
  return found;
}

void Lexer::take_run(std::string_view characters) {
  at_ = std::min(text_.find_first_not_of(characters, at_), text_.size());
}

}  // namespace collect::templates
