// SPDX-License-Identifier: Apache-2.0
// Which records of a system stay, and which go. Pure. Contract section 6:
//
//   age of the record (by created_at)   what stays
//   up to 7 days                        all
//   up to 1 month                       the newest of each day
//   up to 3 months                      the newest of each ISO week
//   up to 1 year                        the newest of each month
//   older                               the newest of each quarter
//
// Periods are those of the calendar in UTC; a month before the 31st is the last day of a shorter month. A
// period that the border between two rows of the table cuts is two: each part has its newest. What a row
// keeps is chosen among the records that are still there.
#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::retention {

struct StoredRecord {
  RecordId id{};
  Time created_at{};
  Time timestamp{};      // received last: the pipeline's order is (timestamp, id)
  bool pending = false;  // not compared yet (processed_at is null)
  bool untold = false;   // has diffs that nobody was told of yet
};

// Those that go, oldest first. Of one system, all of its records, in any order. Whatever their age, these
// stay: the first and the latest (by created_at, and the latest by timestamp too: the next inventory is
// compared with it), pending ones and what each of them is compared with, and those with untold diffs.
std::vector<RecordId> expired(std::span<const StoredRecord> records, Time now);

// `months` calendar months before `now`.
Time months_before(Time now, int months);

// What else does not stay for ever. Contract section 6, and docs/decisions/0021.
struct Horizons {
  Time resolved_alerts;  // those resolved before it go
  Time alert_history;    // those made before it go
  Time deliveries;       // those made before it go, with the last alert that they told
};
Horizons horizons(Time now);

}  // namespace collect::retention
