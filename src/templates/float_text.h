// SPDX-License-Identifier: Apache-2.0
// A finite double as Go's strconv.FormatFloat writes it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace collect::templates {

// `style` is one of e E f g G b x X. Without `precision`, the fewest digits that read back as the same
// number. The text grows with the precision (not with g and G): bound it before.
std::string float_text(double number, char style, std::optional<std::size_t> precision);

}  // namespace collect::templates
