// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/retention_store.h"

#include <set>

namespace collect::sqlite {
namespace {

using retention::Forgotten;
using retention::Horizons;
using retention::Noted;
using retention::StoredRecord;

// From one system to the next along the index, whatever number of records each has.
constexpr std::string_view kSystems =
    "WITH RECURSIVE found(id) AS (SELECT min(system_id) FROM inventory_records WHERE system_id > ?1"
    "  UNION ALL SELECT (SELECT min(system_id) FROM inventory_records WHERE system_id > found.id) FROM found"
    "    WHERE found.id IS NOT NULL LIMIT ?2)"
    " SELECT id FROM found WHERE id IS NOT NULL";

const std::string kAlerts = " FROM inventory_alerts WHERE is_resolved = 1 AND resolved_at < ?1";
const std::string kHistory = " FROM alert_history WHERE created_at < ?1";
const std::string kDeliveries =
    " FROM alert_deliveries WHERE created_at < ?1 AND state <> 'pending'"
    " AND NOT EXISTS (SELECT 1 FROM alert_notifications WHERE delivery_id = alert_deliveries.id)";

std::uint64_t count(Snapshot& snapshot, const std::string& rows, Time before) {
  auto row = snapshot.query("SELECT count(*)" + rows, before);
  return row.next() ? static_cast<std::uint64_t>(row.int64(0)) : 0;
}

std::uint64_t remove(Transaction& transaction, const std::string& table, const std::string& rows,
                     std::string_view age, Time before, std::size_t limit) {
  std::string sql = "DELETE FROM " + table + " WHERE id IN (SELECT id" + rows;
  sql.append(" ORDER BY ").append(age).append(" LIMIT ?2)");
  return static_cast<std::uint64_t>(transaction.run(sql, before, limit));
}

}  // namespace

Result<std::vector<SystemId>> RetentionStore::systems(const std::optional<SystemId>& after,
                                                      std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<SystemId> ids;
    auto row = snapshot.query(kSystems, after ? after->text() : std::string(), limit);
    while (row.next()) ids.emplace_back(row.text(0));
    return ids;
  });
}

Result<std::vector<StoredRecord>> RetentionStore::records(const SystemId& system_id) {
  return database_.read([&](Snapshot& snapshot) {
    std::set<std::int64_t> untold;
    {
      auto row = snapshot.query(
          "SELECT DISTINCT current_id FROM inventory_diffs WHERE system_id = ? AND notification_sent = 0"
          " AND current_id IS NOT NULL",
          system_id);
      while (row.next()) untold.insert(row.int64(0));
    }
    std::vector<StoredRecord> records;
    auto row = snapshot.query(
        "SELECT id, created_at, timestamp, processed_at IS NULL FROM inventory_records WHERE system_id = ?",
        system_id);
    while (row.next()) {
      records.push_back(
          {RecordId{row.int64(0)}, row.time(1), row.time(2), row.flag(3), untold.contains(row.int64(0))});
    }
    return records;
  });
}

Result<Forgotten> RetentionStore::forgettable(const Horizons& horizons) {
  return database_.read([&](Snapshot& snapshot) {
    return Forgotten{count(snapshot, kAlerts, horizons.resolved_alerts),
                     count(snapshot, kHistory, horizons.alert_history),
                     count(snapshot, kDeliveries, horizons.deliveries)};
  });
}

Result<Forgotten> RetentionStore::forget(const Horizons& horizons, std::size_t limit) {
  return database_.write([&](Transaction& transaction) {
    Forgotten gone;
    gone.resolved_alerts =
        remove(transaction, "inventory_alerts", kAlerts, "resolved_at", horizons.resolved_alerts, limit);
    gone.alert_history =
        remove(transaction, "alert_history", kHistory, "created_at", horizons.alert_history, limit);
    gone.deliveries =
        remove(transaction, "alert_deliveries", kDeliveries, "created_at", horizons.deliveries, limit);
    return gone;
  });
}

Result<std::optional<Noted>> RetentionStore::progress() {
  return database_.read([](Snapshot& snapshot) -> std::optional<Noted> {
    auto row = snapshot.query("SELECT value, updated_at FROM collect_state WHERE key = 'retention'");
    if (!row.next()) return std::nullopt;
    return Noted{row.text(0), row.time(1)};
  });
}

Result<void> RetentionStore::note_progress(std::string_view progress, Time now) {
  return database_.write([&](Transaction& transaction) {
    transaction.run(
        "INSERT INTO collect_state(key, value, updated_at) VALUES ('retention', ?1, ?2)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        progress, now);
  });
}

}  // namespace collect::sqlite
