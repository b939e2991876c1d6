// SPDX-License-Identifier: Apache-2.0
// Go's fmt over our values: Sprint, Sprintln, Sprintf. A wrong format is no failure, it shows in the text
// ("%!d(string=x)"), as in Go.
#pragma once

#include <span>
#include <string_view>

#include "templates/output.h"
#include "templates/value.h"

namespace collect::templates {

// A space between two values of which neither is a text. Nothing is "<nil>".
void print(Output& out, std::span<const Value> values);
// Spaces between all, and a newline.
void print_line(Output& out, std::span<const Value> values);
void print_format(Output& out, std::string_view format, std::span<const Value> values);

}  // namespace collect::templates
