// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/diff_selection.h"

#include <fmt/format.h>

namespace collect::postgres {

DiffSelection select_diffs(const SystemId& system_id, const inventory::DiffFilter& filter,
                           const inventory::DiffEnd& end) {
  DiffSelection selection;
  selection.params =
      Params::of(system_id, filter.from.value_or(inventory::kFirstTime), end.created_at, end.id);
  selection.count = 4;
  // Only the conditions that are asked for: a plan for all of them at once would fit none.
  std::string conditions;
  const auto add = [&](std::string_view condition, const auto& value) {
    if (!value) return;
    selection.params.add(*value);
    conditions += fmt::format(fmt::runtime(condition), ++selection.count);
  };
  // OFFSET 0 keeps the planner from walking all of the system's diffs in search of one record's.
  std::string table = "inventory_diffs";
  if (filter.current_id) {
    selection.params.add(*filter.current_id);
    table = fmt::format("(SELECT * FROM inventory_diffs WHERE current_id = ${} OFFSET 0) AS of_record",
                        ++selection.count);
  }
  add(" AND severity = ${}", filter.severity);
  add(" AND category = ${}", filter.category);
  add(" AND diff_type = ${}", filter.diff_type);
  add(" AND position(lower(${}::text) in lower(field_path)) > 0", filter.search);
  selection.sql =
      fmt::format("FROM {} WHERE system_id = $1 AND created_at >= $2 AND (created_at, id) < ($3, $4){}",
                  table, conditions);
  return selection;
}

}  // namespace collect::postgres
