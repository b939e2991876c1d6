// SPDX-License-Identifier: Apache-2.0
#include "backups/range.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "net/http.h"

namespace collect::backups {
namespace {

constexpr std::string_view kUnit = "bytes=";

// Digits only. One too large for the type is larger than any backup.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

RangeAsked read_range(std::string_view range, std::uint64_t size) {
  using Kind = RangeAsked::Kind;
  if (!net::equal_ignoring_case(range.substr(0, kUnit.size()), kUnit)) return {};
  range.remove_prefix(kUnit.size());
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = number(range.substr(0, dash));
  const auto last = number(range.substr(dash + 1));
  if (dash == 0) {  // "-500": the last 500 bytes
    if (!last) return {};
    const std::uint64_t length = std::min(*last, size);
    if (length == 0) return {Kind::unsatisfiable, {}};
    return {Kind::part, {size - length, length}};
  }
  if (!first || (dash + 1 < range.size() && !last) || (last && *last < *first)) return {};
  if (*first >= size) return {Kind::unsatisfiable, {}};
  return {Kind::part, {*first, std::min(last.value_or(size - 1), size - 1) - *first + 1}};
}

}  // namespace collect::backups
