// SPDX-License-Identifier: Apache-2.0
// A numbered SQL file, compiled in (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace collect::backend {

struct Migration {
  std::string_view name;  // "0001_tables": the file's name without its ending
  std::string_view sql;
};

}  // namespace collect::backend
