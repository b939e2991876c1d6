// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace collect::operators {

// config/openapi.yaml, as it was when this was built.
std::string_view openapi();

}  // namespace collect::operators
