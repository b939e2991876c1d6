// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "templates/syntax.h"

namespace collect::templates {

// Parentheses and {{if}}, {{with}}, {{range}}, {{block}} in each other; each further `else if` is one deeper.
inline constexpr std::size_t kMaxNesting = 100;
// Declared and visible at one place.
inline constexpr std::size_t kMaxVariables = 200;
inline constexpr std::size_t kMaxTemplateBytes = 64 << 10;

// `invalid`: the line and what was expected there; never the text itself.
Result<Program> parse(std::string_view text);

}  // namespace collect::templates
