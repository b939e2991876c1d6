// SPDX-License-Identifier: Apache-2.0
// PORT. Reading what is stored about a system's inventories. Read only; lists are newest first.
#pragma once

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

struct DiffFilter {
  std::optional<std::string> severity;
  std::optional<std::string> category;
  std::optional<std::string> diff_type;
  std::optional<RecordId> current_id;
  std::optional<Time> from;      // created_at >= from
  std::optional<Time> to;        // created_at < to
  std::optional<DiffId> before;  // id < before: the cursor
};

class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  virtual Result<std::optional<Record>> latest(const SystemId& system_id) = 0;
  virtual Result<std::optional<std::string>> document(RecordId record_id) = 0;
  // What the differ held back at that record (diff/differ.h); empty: nothing, or there is no such record.
  virtual Result<std::string> held(RecordId record_id) = 0;
  virtual Result<std::vector<Record>> records(const SystemId& system_id, std::optional<RecordId> before,
                                              std::size_t limit) = 0;
  virtual Result<std::vector<Diff>> diffs(const SystemId& system_id, const DiffFilter& filter,
                                          std::size_t limit) = 0;
};

}  // namespace collect::inventory
