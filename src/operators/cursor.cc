// SPDX-License-Identifier: Apache-2.0
#include "operators/cursor.h"

#include <charconv>

namespace collect::operators {

std::optional<std::int64_t> read_id(std::string_view text) {
  std::int64_t id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || stop != text.data() + text.size() || id < 1) return std::nullopt;
  return id;
}

std::string cursor_of(std::int64_t id) {
  return std::to_string(id);
}

Result<std::int64_t> read_cursor(std::string_view cursor) {
  if (const auto id = read_id(cursor)) return *id;
  return invalid("cursor: expected what next_cursor said");
}

}  // namespace collect::operators
