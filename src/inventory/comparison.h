// SPDX-License-Identifier: Apache-2.0
// What the pending records of a system changed. Pure: both engines ask this one function.
#pragma once

#include <vector>

#include "diff/rules.h"
#include "inventory/comparison_store.h"

namespace collect::inventory {

struct ComparisonDecision {
  std::vector<RecordDiffs> records;
  // Some pending records were left for another call, which reads a better baseline for them.
  bool again = false;
};

// Each pending record against its predecessor; the first record of a system changes nothing. Records older
// than the newest processed one came too late: they are settled without changes, and alone, because the
// records after them have another predecessor than theirs.
ComparisonDecision decide_comparison(const diff::Rules& rules, const ComparisonState& state, Time now);

}  // namespace collect::inventory
