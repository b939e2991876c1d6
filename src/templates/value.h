// SPDX-License-Identifier: Apache-2.0
// What an expression yields. Go finds these kinds by reflection; over a map of texts there are no others.
#pragma once

#include <complex>
#include <cstdint>
#include <string_view>
#include <variant>

#include "templates/template.h"

namespace collect::templates {

// A missing label, an explicit nil, the dot of a template that was called without one.
using Nothing = std::monostate;

// Cheap to copy. A text points into the labels, into the parsed template or into the rendering's Workspace.
using Value = std::variant<Nothing, bool, std::int64_t, std::uint8_t, double, std::complex<double>,
                           std::string_view, const Values*>;

inline bool is_nothing(const Value& value) {
  return std::holds_alternative<Nothing>(value);
}

// As `printf "%T"` names it: "int", "map[string]string"; "<nil>" for nothing.
std::string_view type_name(const Value& value);

// False is what is zero or empty.
bool truth(const Value& value);

}  // namespace collect::templates
