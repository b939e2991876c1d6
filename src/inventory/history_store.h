// SPDX-License-Identifier: Apache-2.0
// PORT. Reading what is stored about a system's inventories. Read only; lists are newest first.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::inventory {

struct Record {
  RecordId id{};
  SystemId system_id;
  Time timestamp{};
  std::optional<Time> sender_time;
  std::string hash;
  std::int64_t size_bytes = 0;
  std::optional<Time> processed_at;
  bool has_changes = false;
  int change_count = 0;
  Time created_at{};
  Time updated_at{};
};

struct Diff {
  DiffId id{};
  SystemId system_id;
  std::optional<RecordId> previous_id;
  std::optional<RecordId> current_id;
  std::string diff_type;  // create | update | delete
  std::string category;
  std::string severity;
  std::string field_path;
  std::optional<std::string> previous_value;  // JSON text
  std::optional<std::string> current_value;
  bool notification_sent = false;
  Time created_at{};
};

// Unset members do not filter.
struct RecordFilter {
  std::optional<RecordId> before = {};  // those behind that one in the list: the cursor
  std::size_t skip = 0;                 // so many of the first
};

struct DiffFilter {
  std::optional<std::string> severity = {};
  std::optional<std::string> category = {};
  std::optional<std::string> diff_type = {};
  std::optional<RecordId> current_id = {};
  std::optional<std::string> search = {};  // part of field_path, ASCII letters in either case
  std::optional<Time> from = {};           // created_at >= from
  std::optional<Time> to = {};             // created_at < to
  std::optional<DiffId> before = {};       // those behind that one in the list: the cursor
  std::size_t skip = 0;                    // so many of the first
};

class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  virtual Result<std::optional<Record>> latest(const SystemId& system_id) = 0;
  // Of another system: nullopt.
  virtual Result<std::optional<Record>> record(const SystemId& system_id, RecordId record_id) = 0;
  virtual Result<std::optional<std::string>> document(RecordId record_id) = 0;
  // What the differ held back at that record (diff/differ.h); empty: nothing, or there is no such record.
  virtual Result<std::string> held(RecordId record_id) = 0;
  // By timestamp, then id. A cursor whose record is gone meanwhile goes on with lower ids.
  virtual Result<std::vector<Record>> records(const SystemId& system_id, const RecordFilter& filter,
                                              std::size_t limit) = 0;
  // By created_at, then id. `invalid`: there never was a diff `before`.
  virtual Result<std::vector<Diff>> diffs(const SystemId& system_id, const DiffFilter& filter,
                                          std::size_t limit) = 0;
};

// The half-open range of a diff list's keys (created_at, id) that `to` and `before` leave, where `before` was
// made at `before_at`.
struct DiffEnd {
  Time created_at{};
  DiffId id{};
};
DiffEnd end_of(const DiffFilter& filter, std::optional<Time> before_at);

// Before and after everything that has a time.
inline constexpr Time kFirstTime = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
inline constexpr Time kLastTime =
    std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} + std::chrono::days(1) - Duration(1);

}  // namespace collect::inventory
