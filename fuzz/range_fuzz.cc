// SPDX-License-Identifier: Apache-2.0
// backups/range: which bytes a download asks for.
#include <optional>
#include <string>

#include "backups/range.h"
#include "fuzz/fuzz.h"

namespace collect::fuzz {
namespace {

using backups::RangeAsked;

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}
// Larger than any size used here counts as that.
long double value_of(std::string_view text) {
  return std::stold("0" + std::string(text));
}

// RFC 9110 section 14.1.2, in floating point and with the whole object written out; nullopt: no range.
std::optional<RangeAsked> plainly(std::string_view range, std::uint64_t size) {
  if (range.size() < 6) return std::nullopt;
  std::string unit(range.substr(0, 6));
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (unit != "bytes=") return std::nullopt;
  range.remove_prefix(6);
  if (range.find('-') == std::string_view::npos) return std::nullopt;
  const std::string_view first = take_part(range, '-');
  const std::string_view last = range;
  RangeAsked asked{RangeAsked::Kind::unsatisfiable, {}};
  std::uint64_t begin = size;
  std::uint64_t count = 0;
  if (first.empty()) {
    if (!is_number(last)) return std::nullopt;
    for (std::uint64_t i = 0; i < size; ++i) {
      if (static_cast<long double>(size - i) <= value_of(last)) begin = std::min(begin, i), ++count;
    }
  } else {
    if (!is_number(first) || (!last.empty() && !is_number(last))) return std::nullopt;
    if (!last.empty() && value_of(last) < value_of(first)) return std::nullopt;
    for (std::uint64_t i = 0; i < size; ++i) {
      const auto at = static_cast<long double>(i);
      if (at >= value_of(first) && (last.empty() || at <= value_of(last)))
        begin = std::min(begin, i), ++count;
    }
  }
  if (count > 0) asked = {RangeAsked::Kind::part, {begin, count}};
  return asked;
}

}  // namespace

void run(std::string_view input) {
  const std::uint64_t size = take_number(input) % 40;
  // Numbers that no floating point holds have nothing plain to be compared with.
  const auto asked = backups::read_range(input, size);
  const auto plain = plainly(input.substr(0, 60), size);
  if (input.size() <= 30) {
    const RangeAsked expected = plain.value_or(RangeAsked{});
    hold(asked.kind == expected.kind, "a plain reader wants the same kind of answer");
    hold(asked.kind != RangeAsked::Kind::part ||
             (asked.part.offset == expected.part.offset && asked.part.length == expected.part.length),
         "a plain reader wants the same bytes");
  }
  for (const std::uint64_t other : {std::uint64_t{0}, std::uint64_t{1} << 40U, ~std::uint64_t{0}}) {
    const auto part = backups::read_range(input, other);
    if (part.kind != RangeAsked::Kind::part) continue;
    hold(part.part.length > 0 && part.part.offset < other && part.part.length <= other - part.part.offset,
         "a part lies within its object");
  }
}

}  // namespace collect::fuzz
