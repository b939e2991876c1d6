// SPDX-License-Identifier: Apache-2.0
// A second opinion on JSON: RFC 8259 read character by character, slowly and plainly.
#pragma once

#include <string_view>

namespace collect::fuzz {

// Whether json::check() has to accept the text.
bool is_storable_json(std::string_view text);

}  // namespace collect::fuzz
