// SPDX-License-Identifier: Apache-2.0
// The text of config/config.yml as it was when the program was built. Valid forever.
#pragma once

#include <string_view>

namespace collect::diff {

std::string_view default_config();

}  // namespace collect::diff
