// SPDX-License-Identifier: Apache-2.0
// Text within XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace collect {

// As content or in a quoted attribute: & < > and " as entities (XML 1.0, section 2.4).
std::string markup_escaped(std::string_view text);

}  // namespace collect
