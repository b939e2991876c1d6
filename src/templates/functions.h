// SPDX-License-Identifier: Apache-2.0
// The predefined functions (https://pkg.go.dev/text/template#hdr-Functions).
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "templates/output.h"
#include "templates/value.h"

namespace collect::templates {

struct Function {
  static constexpr std::size_t kAny = std::numeric_limits<std::size_t>::max();

  std::string_view name;
  std::size_t least_arguments = 0;
  std::size_t most_arguments = kAny;
  // `and` and `or`: the truth at which they take no further argument.
  std::optional<bool> stops_at;
  // `invalid`: what the arguments cannot mean. Called with as many as it takes. Texts are kept in
  // `workspace`.
  Result<Value> (*body)(std::span<const Value> arguments, Workspace& workspace) = nullptr;
};

// nullptr: there is none of that name.
const Function* find_function(std::string_view name);

}  // namespace collect::templates
