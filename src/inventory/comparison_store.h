// SPDX-License-Identifier: Apache-2.0
// PORT. Where records are compared with their predecessors. One call is one transaction over some systems,
// each locked; what to write is decided by the caller's function (comparison.h) from what stands there.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "diff/change.h"

namespace collect::inventory {

struct PendingRecord {
  RecordId id{};
  Time timestamp{};
  std::string document;     // empty where the question's has_document() said yes
  std::string hash = {};    // data_hash
  std::string damage = {};  // why the document cannot be given; empty: it can
};

struct Baseline {
  RecordId id{};
  Time timestamp{};
  std::string document;   // as above
  std::string held;       // what the differ held back at this record (diff/differ.h); empty: nothing
  std::string hash = {};  // data_hash
  std::string damage = {};
};

struct ComparisonState {
  SystemId system_id;
  // The record right before the first pending one in (timestamp, id) order that was not given up.
  std::optional<Baseline> baseline;
  // Records without processed_at, in (timestamp, id) order, at most `max_records`.
  std::vector<PendingRecord> pending;
  // The newest record that has processed_at: pending ones before it came too late to be compared.
  std::optional<std::pair<Time, RecordId>> newest_processed;
  // Path → created_at of its newest diff, of this system since `changed_since`.
  std::map<std::string, Time, std::less<>> last_changed;
};

struct RecordDiffs {
  RecordId record_id{};
  std::optional<RecordId> previous_id;  // nothing to compare with: nullopt and no changes
  std::string held;
  std::vector<diff::Change> changes;  // the significant ones, to be stored
  // Not compared, and never will be: no baseline for the records after it, whose changes are told against the
  // one before it.
  bool given_up = false;
};

using DecideComparison = std::function<std::vector<RecordDiffs>(const ComparisonState&)>;

struct ComparisonQuestion {
  std::span<const SystemId> systems;
  std::size_t max_records = 20;       // per system
  std::optional<Time> changed_since;  // nullopt: last_changed is not needed
  Time now{};
  // Whether the caller has the document with this data_hash: then it need not be read. May be empty.
  std::function<bool(std::string_view hash)> has_document = {};
};

struct Compared {
  SystemId system_id;
  RecordId record_id{};
  int change_count = 0;
  bool earlier = false;  // by an earlier call; change_count is not known
  bool operator==(const Compared&) const = default;
};

struct UnfinishedRecord {
  SystemId system_id;
  RecordId record_id{};
};

class ComparisonStore {
 public:
  virtual ~ComparisonStore() = default;

  // For each system: lock, read, decide, insert the diffs (created_at = now, notification_sent = false) and
  // set has_changes, change_count, held, processed_at of the decided records. All or nothing. Returns the
  // decided records, and of each system without pending ones the newest that is `earlier`. `invalid`: the
  // engine refuses some value; ask again system by system. An engine may ask `decide` before the lock is
  // taken, and then asks again if anything stands otherwise under it: the last answer about a system counts.
  virtual Result<std::vector<Compared>> compare(const ComparisonQuestion& question,
                                                const DecideComparison& decide) = 0;

  // Records created before `before` and still without processed_at, oldest first: for the sweep.
  virtual Result<std::vector<UnfinishedRecord>> unfinished(Time before, std::size_t limit) = 0;
};

}  // namespace collect::inventory
