// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/unsent_store.h"

#include <set>

namespace collect::postgres {

using alerts::UnsentDiff;
using alerts::UnsentRecord;

Result<std::vector<UnsentDiff>> UnsentStore::unsent(std::span<const RecordId> records) {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows = connection.run(
        "SELECT id, current_id, system_id, diff_type, category, severity, field_path, created_at FROM "
        "inventory_diffs "
        "WHERE current_id = ANY($1::bigint[]) AND notification_sent = false ORDER BY id",
        Params().array(records, [](RecordId id) { return id; }));
    std::vector<UnsentDiff> diffs;
    for (int row = 0; row < rows.count(); ++row) {
      UnsentDiff diff;
      diff.id = DiffId{rows.int64(row, 0)};
      diff.record_id = RecordId{rows.int64(row, 1)};
      diff.system_id = SystemId(rows.text(row, 2));
      diff.diff_type = rows.text(row, 3);
      diff.category = rows.text(row, 4);
      diff.severity = rows.text(row, 5);
      diff.field_path = rows.text(row, 6);
      diff.created_at = rows.time(row, 7);
      diffs.push_back(std::move(diff));
    }
    return diffs;
  });
}

Result<void> UnsentStore::mark_sent(std::span<const DiffId> diffs) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    if (diffs.empty()) return;
    const std::set<DiffId> ids(diffs.begin(), diffs.end());
    // Locked in one order, so that two notifiers of the same diffs do not wait in a circle.
    transaction.add(
        "UPDATE inventory_diffs SET notification_sent = true WHERE id IN (SELECT id FROM inventory_diffs "
        "WHERE id = ANY($1::bigint[]) AND notification_sent = false ORDER BY id FOR NO KEY UPDATE)",
        Params().array(ids, [](DiffId id) { return id; }));
  });
}

Result<std::vector<UnsentRecord>> UnsentStore::unfinished(Time before, std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows = connection.run(
        "SELECT system_id, current_id FROM inventory_diffs WHERE notification_sent = false AND created_at < "
        "$1 "
        "AND current_id IS NOT NULL GROUP BY system_id, current_id ORDER BY current_id LIMIT $2",
        Params::of(before, limit));
    std::vector<UnsentRecord> records;
    for (int row = 0; row < rows.count(); ++row) {
      records.push_back({SystemId(rows.text(row, 0)), RecordId{rows.int64(row, 1)}});
    }
    return records;
  });
}

}  // namespace collect::postgres
