// SPDX-License-Identifier: Apache-2.0
// Two inventories of one system in, what changed out. Pure: no I/O, no clock. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "diff/change.h"
#include "diff/rules.h"

namespace collect::diff {

struct Question {
  const json::Value& previous;
  const json::Value& current;
  std::string_view held = {};  // Comparison::held of the comparison that had `previous` as current
  const LastChanged* last_changed = nullptr;  // for time_filters; may be null
  Time now = {};
  Partial partial = Partial::hold;
};

struct Comparison {
  // Every change in the order of the documents; insignificant ones are marked, with the rule that said so. At
  // most max_diffs_per_run significant ones: of more, the most severe, and last a summary with the path "*"
  // whose current_value counts the others: {"folded": n, "by_category": {…}, "by_severity": {…}}.
  std::vector<Change> changes;
  // What `current` holds back, opaque JSON: store it with that record and pass it on. Empty: nothing.
  std::string held;
};

Comparison compare(const Rules& rules, const Question& question);

}  // namespace collect::diff
