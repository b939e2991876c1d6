// SPDX-License-Identifier: Apache-2.0
// Numbers of rows in paths and cursors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect::operators {

// A positive number of digits only.
std::optional<std::int64_t> read_id(std::string_view text);

std::string cursor_of(std::int64_t id);
// `invalid`: it is none of ours.
Result<std::int64_t> read_cursor(std::string_view cursor);

}  // namespace collect::operators
