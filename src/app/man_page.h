// SPDX-License-Identifier: Apache-2.0
// The manual page, made of what the command line says of itself and of the declarations of the settings:
// nothing is written twice.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace collect::app {

// man(7) text, UTF-8, of section 1.
std::string man_page(const CLI::App& app);

}  // namespace collect::app
