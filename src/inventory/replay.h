// SPDX-License-Identifier: Apache-2.0
// What is stored of a system since some time, as it was compared: to try other rules over it. Read only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "inventory/history_store.h"

namespace collect::inventory {

struct ReplayedRecord {
  Record record;
  std::string document;
  // The one before them all, which the first is compared with. No diffs of it are read.
  bool baseline = false;
  // Records between it and the one before are not stored any more: what changed cannot be worked out again.
  bool after_gap = false;
  std::vector<Diff> removed;  // that are stored of those records, by id
  std::string held;           // what the differ held back at it; read for the baseline and after a gap
  // Stored when a later one stood already (NewRecord::late): it was compared with nothing, and nothing with
  // it.
  bool late = false;
  std::vector<Diff> diffs;  // that are stored of it, by id
};
using VisitRecord = std::function<void(const ReplayedRecord&)>;

// The records with created_at >= since in (timestamp, id) order, from the first one that is not late, after
// their baseline if there is one. One document at a time is in memory. Records that are deleted meanwhile are
// passed by.
Result<void> replay(HistoryStore& history, const SystemId& system_id, Time since, const VisitRecord& visit);

}  // namespace collect::inventory
