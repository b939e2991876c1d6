// SPDX-License-Identifier: Apache-2.0
// PORT. A system's history in numbers: how much there is, on which days, of which kinds. Read only. No count
// costs more than reading kCounted index entries, however much is stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/count.h"
#include "base/ids.h"
#include "base/result.h"
#include "inventory/history_store.h"

namespace collect::inventory {

using Date = std::chrono::sys_days;  // UTC

// Half open, by created_at of the diffs.
struct TimeRange {
  std::optional<Time> from;
  std::optional<Time> to;
};

using Counts = std::map<std::string, std::int64_t, std::less<>>;  // by word; what is none is not in it

// A day on which something changed.
struct Day {
  Date date{};
  std::vector<RecordId> records;  // whose changes these are, without those that retention took; ascending
  std::int64_t changes = 0;
  Counts by_severity;
};

// Where a page of days begins: before that day, and so many days further on.
struct DayStart {
  std::optional<Date> before = {};
  std::size_t skip = 0;
};

struct Tally {
  Count changes;
  Counts by_severity;
  Counts by_category;
  Counts by_type;              // create | update | delete
  std::optional<Time> newest;  // created_at
};

// Ten years: as far as count_days() looks.
inline constexpr std::int64_t kCountedDays = 3'660;

class TallyStore {
 public:
  virtual ~TallyStore() = default;
  virtual Result<Count> count_records(const SystemId& system_id) = 0;
  // `before` and `skip` of the filter are ignored.
  virtual Result<Count> count_diffs(const SystemId& system_id, const DiffFilter& filter) = 0;
  // Newest first. A day that the range cuts counts what is in the range. A page ends early, though with one
  // day at least, once it has counted kCounted diffs.
  virtual Result<std::vector<Day>> days(const SystemId& system_id, const TimeRange& range,
                                        const DayStart& start, std::size_t limit) = 0;
  virtual Result<Count> count_days(const SystemId& system_id, const TimeRange& range) = 0;
  virtual Result<Tally> tally(const SystemId& system_id, const TimeRange& range) = 0;
};

}  // namespace collect::inventory
