// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "templates/directive.h"
#include "templates/value.h"

namespace collect::templates {

// The value under any verb, also one that it does not have: "%!d(string=x)".
void write_value(Output& out, const Directive& directive, const Value& value, char32_t verb);

}  // namespace collect::templates
