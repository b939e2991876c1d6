// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/unsent_store.h"

#include <algorithm>
#include <set>

namespace collect::sqlite {
namespace {

using alerts::UnsentDiff;

UnsentDiff unsent_diff_of(const Cursor& row, RecordId record_id) {
  UnsentDiff diff;
  diff.id = DiffId{row.int64(0)};
  diff.record_id = record_id;
  diff.system_id = SystemId(row.text(1));
  diff.diff_type = row.text(2);
  diff.category = row.text(3);
  diff.severity = row.text(4);
  diff.field_path = row.text(5);
  diff.created_at = row.time(6);
  return diff;
}

}  // namespace

Result<std::vector<UnsentDiff>> UnsentStore::unsent(std::span<const RecordId> records) {
  const std::set<RecordId> distinct(records.begin(), records.end());
  return database_.read([&](Snapshot& snapshot) {
    std::vector<UnsentDiff> diffs;
    for (const auto record_id : distinct) {
      auto row = snapshot.query(
          "SELECT id, system_id, diff_type, category, severity, field_path, created_at FROM inventory_diffs"
          " WHERE current_id = ? AND notification_sent = 0",
          record_id);
      while (row.next()) diffs.push_back(unsent_diff_of(row, record_id));
    }
    std::ranges::sort(diffs, {}, &UnsentDiff::id);
    return diffs;
  });
}

Result<void> UnsentStore::mark_sent(std::span<const DiffId> diffs) {
  return database_.write([&](Transaction& transaction) {
    for (const auto id : diffs)
      transaction.run("UPDATE inventory_diffs SET notification_sent = 1 WHERE id = ?", id);
  });
}

Result<std::vector<alerts::UnsentRecord>> UnsentStore::unfinished(Time before, std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<alerts::UnsentRecord> records;
    auto row = snapshot.query(
        "SELECT system_id, current_id FROM inventory_diffs"
        " WHERE notification_sent = 0 AND current_id IS NOT NULL AND created_at < ?"
        " GROUP BY current_id ORDER BY current_id LIMIT ?",
        before, limit);
    while (row.next()) records.push_back({SystemId(row.text(0)), RecordId{row.int64(1)}});
    return records;
  });
}

}  // namespace collect::sqlite
