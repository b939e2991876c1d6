// SPDX-License-Identifier: Apache-2.0
// A numbered SQL file, compiled in (cmake/embed.cmake).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "base/result.h"

namespace collect::backend {

struct Migration {
  std::string_view name;  // "0001_tables": the file's name without its ending
  std::string_view sql;
};

inline bool is_known(std::span<const Migration> files, std::string_view name) {
  return std::ranges::any_of(files, [&](const Migration& file) { return file.name == name; });
}
// A newer program was here: what it made of the tables, this one does not know.
inline Failure unknown_migration(std::string_view name) {
  return conflict(
      fmt::format("the database has migration {}, which this version of Collect does not know: "
                  "use the version that made it, or a newer one",
                  name));
}

}  // namespace collect::backend
