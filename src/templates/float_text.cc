// SPDX-License-Identifier: Apache-2.0
#include "templates/float_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace collect::templates {
namespace {

using Precision = std::optional<std::size_t>;

// No double has more decimal digits than this that are not zero.
constexpr std::size_t kMostDigits = 800;
constexpr std::size_t kMostIntegerDigits = 310;

bool is_upper(char style) {
  return style >= 'A' && style <= 'Z';
}

std::string standard_text(double number, std::chars_format format, Precision precision) {
  std::string text(kMostIntegerDigits + kMostDigits + precision.value_or(0), '\0');
  char* const end = text.data() + text.size();
  const auto result = precision
                          ? std::to_chars(text.data(), end, number, format, static_cast<int>(*precision))
                          : std::to_chars(text.data(), end, number, format);
  text.resize(static_cast<std::size_t>(result.ptr - text.data()));
  return text;
}

// 0.`digits` times ten to the power of `point`; no zeros at the end, none at all for zero.
struct Decimal {
  std::string digits;
  int point = 0;
};

Decimal decimal(double magnitude, Precision significant_digits) {
  Precision precision;
  if (significant_digits) precision = std::min(*significant_digits, kMostDigits) - 1;
  auto text = standard_text(magnitude, std::chars_format::scientific, precision);
  const auto exponent = text.find('e');
  Decimal result{text.substr(0, exponent), std::atoi(text.c_str() + exponent + 1) + 1};
  std::erase(result.digits, '.');
  result.digits.erase(result.digits.find_last_not_of('0') + 1);
  if (result.digits.empty()) result.point = 0;
  return result;
}

// At least two digits, as %e and %x have them.
std::string exponent_text(int exponent) {
  const auto digits = std::to_string(std::abs(exponent));
  return (exponent < 0 ? "-" : "+") + std::string(digits.size() < 2 ? 1 : 0, '0') + digits;
}

std::string scientific(const Decimal& number, std::size_t precision, char letter) {
  auto text = number.digits.substr(0, precision + 1);
  text.resize(precision + 1, '0');
  if (precision > 0) text.insert(1, 1, '.');
  return text + letter + exponent_text(number.digits.empty() ? 0 : number.point - 1);
}

std::string fixed(const Decimal& number, std::size_t precision) {
  const auto digit_at = [&](int at) {
    return at >= 0 && at < static_cast<int>(number.digits.size())
               ? number.digits[static_cast<std::size_t>(at)]
               : '0';
  };
  std::string text;
  for (int at = 0; at < number.point; ++at) text += digit_at(at);
  if (text.empty()) text = "0";
  if (precision > 0) text += '.';
  for (int at = 0; at < static_cast<int>(precision); ++at) text += digit_at(number.point + at);
  return text;
}

// %e where the exponent is large for the precision, %f otherwise.
std::string general(double magnitude, char style, Precision precision) {
  constexpr int kShortestLimit = 6;
  if (precision) precision = std::max<std::size_t>(*precision, 1);
  const auto number = decimal(magnitude, precision);
  const int count = static_cast<int>(number.digits.size());
  int digits = precision ? static_cast<int>(*precision) : count;
  int limit = digits > count && count >= number.point ? count : digits;
  if (!precision) limit = kShortestLimit;
  const int exponent = number.point - 1;
  if (exponent < -4 || exponent >= limit) {
    digits = std::min(digits, count);
    return scientific(number, static_cast<std::size_t>(std::max(digits - 1, 0)), is_upper(style) ? 'E' : 'e');
  }
  if (digits > number.point) digits = count;
  return fixed(number, static_cast<std::size_t>(std::max(digits - number.point, 0)));
}

struct Binary {
  std::uint64_t mantissa = 0;
  int exponent = 0;  // of the mantissa's highest bit, 1 << 52
};

Binary binary(double magnitude) {
  constexpr int kBits = 52;
  constexpr int kBias = 1023;
  const auto bits = std::bit_cast<std::uint64_t>(magnitude);
  const auto exponent = static_cast<int>(bits >> kBits);
  const auto mantissa = bits & ((std::uint64_t{1} << kBits) - 1);
  if (exponent == 0) return {mantissa, 1 - kBias};
  return {mantissa | std::uint64_t{1} << kBits, exponent - kBias};
}

std::string binary_text(double magnitude) {
  const auto [mantissa, exponent] = binary(magnitude);
  const int power = exponent - 52;
  return std::to_string(mantissa) + 'p' + (power >= 0 ? "+" : "") + std::to_string(power);
}

// 15 hexadecimal digits below the leading bit hold any mantissa.
constexpr int kHexBits = 60;

void round_to(std::uint64_t& mantissa, int& exponent, std::size_t digits) {
  const auto shift = static_cast<unsigned>(digits * 4);
  const auto dropped = mantissa << shift & ((std::uint64_t{1} << kHexBits) - 1);
  mantissa >>= kHexBits - shift;
  if ((dropped | (mantissa & 1)) > std::uint64_t{1} << (kHexBits - 1)) ++mantissa;
  mantissa <<= kHexBits - shift;
  if ((mantissa & std::uint64_t{1} << (kHexBits + 1)) == 0) return;
  mantissa >>= 1;
  ++exponent;
}

std::string hexadecimal(double magnitude, char style, Precision precision) {
  auto [mantissa, exponent] = binary(magnitude);
  mantissa <<= kHexBits - 52;
  if (mantissa == 0) exponent = 0;
  while (mantissa != 0 && (mantissa & std::uint64_t{1} << kHexBits) == 0) {
    mantissa <<= 1;
    --exponent;
  }
  if (precision && *precision < 15) round_to(mantissa, exponent, *precision);
  const char* const digits = is_upper(style) ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text = {'0', style, mantissa >> kHexBits & 1 ? '1' : '0'};
  mantissa <<= 4;
  if (precision ? *precision > 0 : mantissa != 0) text += '.';
  for (std::size_t at = 0; precision ? at < *precision : mantissa != 0; ++at) {
    text += digits[mantissa >> kHexBits & 15];
    mantissa <<= 4;
  }
  return text + (is_upper(style) ? 'P' : 'p') + exponent_text(exponent);
}

std::string magnitude_text(double magnitude, char style, Precision precision) {
  switch (style) {
    case 'b':
      return binary_text(magnitude);
    case 'x':
    case 'X':
      return hexadecimal(magnitude, style, precision);
    case 'f':
      return standard_text(magnitude, std::chars_format::fixed, precision);
    case 'g':
    case 'G':
      return general(magnitude, style, precision);
    default:
      break;
  }
  Precision significant_digits;
  if (precision) significant_digits = *precision + 1;
  const auto number = decimal(magnitude, significant_digits);
  const auto fraction = precision.value_or(std::max<std::size_t>(number.digits.size(), 1) - 1);
  return scientific(number, fraction, style);
}

}  // namespace

std::string float_text(double number, char style, std::optional<std::size_t> precision) {
  return (std::signbit(number) ? "-" : "") + magnitude_text(std::fabs(number), style, precision);
}

}  // namespace collect::templates
