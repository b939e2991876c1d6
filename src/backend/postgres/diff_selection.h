// SPDX-License-Identifier: Apache-2.0
// Which diffs a filter means, for those who list and those who count them.
#pragma once

#include <string>

#include "backend/postgres/params.h"
#include "inventory/history_store.h"

namespace collect::postgres {

struct DiffSelection {
  std::string sql;  // "FROM … WHERE …"; columns stand without a table's name
  Params params;
  int count = 0;  // of params
};

// Answered by collect_diffs_timeline alone, as long as no other columns are asked for than it has; those of
// one record are found by collect_diffs_by_current.
DiffSelection select_diffs(const SystemId& system_id, const inventory::DiffFilter& filter,
                           const inventory::DiffEnd& end);

}  // namespace collect::postgres
