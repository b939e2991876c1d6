// SPDX-License-Identifier: Apache-2.0
#include "templates/directive.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "templates/float_text.h"
#include "templates/quote.h"
#include "templates/unicode.h"

namespace collect::templates {
namespace {

constexpr std::string_view kLowerDigits = "0123456789abcdefx";
constexpr std::string_view kUpperDigits = "0123456789ABCDEFX";

std::string_view digits_of(char verb) {
  return verb == 'X' || verb == 'U' ? kUpperDigits : kLowerDigits;
}

// Numbers pad with zeros themselves, between the sign and the digits.
Directive without_zeros(Directive directive) {
  directive.zero = false;
  return directive;
}

std::string in_base(std::uint64_t number, unsigned base, std::string_view digits) {
  std::string text;
  do {
    text += digits[number % base];
    number /= base;
  } while (number > 0);
  std::reverse(text.begin(), text.end());
  return text;
}

char32_t rune_of(std::uint64_t code) {
  return code <= kMaxRune ? static_cast<char32_t>(code) : kReplacement;
}

// `text` with zeros in front until it has `digits`. False where there is no room for that many.
bool fill_up(Output& out, std::string& text, std::size_t digits) {
  if (text.size() >= digits) return true;
  if (!out.fits(digits)) return false;
  text.insert(0, digits - text.size(), '0');
  return true;
}

std::string_view base_prefix(std::string_view digits, const Directive& directive, char verb) {
  if (verb == 'O') return directive.sharp && digits[0] != '0' ? "0o0" : "0o";
  if (!directive.sharp) return "";
  switch (verb) {
    case 'b':
      return "0b";
    case 'o':
      return digits[0] == '0' ? "" : "0";
    case 'x':
      return "0x";
    case 'X':
      return "0X";
    default:
      return "";
  }
}

std::string_view sign_of(bool negative, const Directive& directive) {
  return negative ? "-" : directive.plus ? "+" : directive.space ? " " : "";
}

// %#g and its like keep the point and the zeros behind it: `digits` significant ones in all.
std::string with_point(std::string text, char style, std::size_t digits) {
  const bool hexadecimal = style == 'x' || style == 'X';
  const auto exponent = std::min(text.find_first_of(hexadecimal ? "pP" : "eE"), text.size());
  const auto tail = text.substr(exponent);
  text.resize(exponent);
  const bool pointed = text.find('.') != std::string::npos;
  const auto first = text.find_first_not_of("0.");
  // A prefix's x counts as a digit there, as it does in Go.
  auto count = first == std::string::npos ? 0 : text.size() - first;
  if (first != std::string::npos && text.find('.', first) != std::string::npos) --count;
  if (!pointed) {
    if (text == "0") ++count;
    text += '.';
  }
  if (count < digits) text.append(digits - count, '0');
  return text + tail;
}

// The digits that the flag # keeps: with e, f and their like the precision has done it already.
std::size_t kept_digits(char style, std::optional<std::size_t> precision) {
  constexpr std::size_t kDefault = 6;
  const bool counts = style == 'g' || style == 'G' || style == 'x';
  return counts ? precision.value_or(kDefault) : 0;
}

}  // namespace

void write_padded(Output& out, const Directive& directive, std::string_view text) {
  const auto count = directive.width == 0 ? 0 : utf8_count(text);
  const auto missing = directive.width > count ? directive.width - count : 0;
  if (directive.minus) out.append(text);
  out.append(missing, directive.zero ? '0' : ' ');
  if (!directive.minus) out.append(text);
}

void write_text(Output& out, const Directive& directive, std::string_view text) {
  if (directive.precision) text = utf8_prefix(text, *directive.precision);
  write_padded(out, directive, text);
}

void write_hex(Output& out, const Directive& directive, std::string_view bytes, char verb) {
  const auto digits = digits_of(verb);
  const std::string prefix = {'0', digits[16]};
  if (directive.precision) bytes = bytes.substr(0, *directive.precision);
  if (!out.fits(2 * bytes.size())) return;
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (directive.space && at > 0) text += ' ';
    if (directive.sharp && (directive.space || at == 0)) text += prefix;
    const auto byte = static_cast<unsigned char>(bytes[at]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  write_padded(out, directive, text);
}

void write_quoted(Output& out, const Directive& directive, std::string_view text) {
  if (directive.precision) text = utf8_prefix(text, *directive.precision);
  if (!out.fits(text.size())) return;
  if (directive.sharp && can_backquote(text)) {
    write_padded(out, directive, '`' + std::string(text) + '`');
  } else {
    write_padded(out, directive, quote(text, directive.plus));
  }
}

void write_integer(Output& out, const Directive& directive, Magnitude number, char verb) {
  const auto plain = without_zeros(directive);
  if (directive.precision == 0 && number.value == 0) return write_padded(out, plain, "");
  const unsigned base = verb == 'b' ? 2 : verb == 'o' || verb == 'O' ? 8 : verb == 'd' ? 10 : 16;
  const auto sign = sign_of(number.negative, directive);
  std::size_t least = directive.precision.value_or(0);
  if (!directive.precision && directive.zero && directive.width > sign.size())
    least = directive.width - sign.size();
  auto digits = in_base(number.value, base, digits_of(verb));
  if (!fill_up(out, digits, least)) return;
  const auto prefix = base_prefix(digits, directive, verb);
  write_padded(out, plain, std::string(sign) + std::string(prefix) + digits);
}

void write_character(Output& out, const Directive& directive, std::uint64_t code) {
  write_padded(out, directive, to_utf8(rune_of(code)));
}

void write_quoted_character(Output& out, const Directive& directive, std::uint64_t code) {
  write_padded(out, directive, quote_character(rune_of(code), directive.plus));
}

void write_code_point(Output& out, const Directive& directive, std::uint64_t code) {
  constexpr std::size_t kLeastDigits = 4;
  auto digits = in_base(code, 16, kUpperDigits);
  if (!fill_up(out, digits, std::max(directive.precision.value_or(0), kLeastDigits))) return;
  auto text = "U+" + digits;
  if (directive.sharp && code <= kMaxRune && is_print(rune_of(code)))
    text += " '" + to_utf8(rune_of(code)) + "'";
  write_padded(out, without_zeros(directive), text);
}

void write_float(Output& out, const Directive& directive, double number, char style,
                 std::optional<std::size_t> precision) {
  if (directive.precision) precision = directive.precision;
  const bool grows = directive.sharp || (style != 'g' && style != 'G');
  if (grows && !out.fits(precision.value_or(0))) return;
  auto text = float_text(number, style, precision);
  const bool negative = text[0] == '-';
  text.erase(0, negative ? 1 : 0);
  if (directive.sharp && style != 'b')
    text = with_point(std::move(text), style, kept_digits(style, precision));
  const auto sign = sign_of(negative, directive);
  const bool fills = directive.zero && !sign.empty() && directive.width > sign.size() + text.size();
  if (!fills) return write_padded(out, directive, std::string(sign) + text);
  if (fill_up(out, text, directive.width - sign.size())) out.append(std::string(sign) + text);
}

}  // namespace collect::templates
