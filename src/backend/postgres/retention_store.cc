// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/retention_store.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace collect::postgres {
namespace {

using retention::Forgotten;
using retention::Horizons;
using retention::Noted;
using retention::StoredRecord;

// From one system to the next along the index, whatever number of records each has. {}: " > $2", or nothing.
constexpr std::string_view kSystems =
    "WITH RECURSIVE found AS ("
    "(SELECT system_id AS id FROM inventory_records {} ORDER BY system_id LIMIT 1) UNION ALL "
    "SELECT (SELECT r.system_id FROM inventory_records r WHERE r.system_id > found.id ORDER BY r.system_id "
    "LIMIT 1) FROM found WHERE found.id IS NOT NULL) "
    "SELECT id FROM found WHERE id IS NOT NULL LIMIT $1";

// One kind of rows that are forgotten: the table, which of its rows, and what their age is counted from ($1).
struct Kind {
  std::string_view table;
  std::string_view which;
  std::string_view age;
  Time Horizons::*before;
  std::uint64_t Forgotten::*count;
};
constexpr std::array kKinds = {
    Kind{"inventory_alerts", "is_resolved", "resolved_at", &Horizons::resolved_alerts,
         &Forgotten::resolved_alerts},
    Kind{"alert_history", "true", "created_at", &Horizons::alert_history, &Forgotten::alert_history},
    Kind{"alert_deliveries",
         "state <> 'pending' AND NOT EXISTS (SELECT FROM alert_notifications n WHERE n.delivery_id = "
         "alert_deliveries.id)",
         "created_at", &Horizons::deliveries, &Forgotten::deliveries}};

}  // namespace

Result<std::vector<SystemId>> RetentionStore::systems(const std::optional<SystemId>& after,
                                                      std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::vector<SystemId> {
    std::vector<SystemId> ids;
    if (after && !schema.can_hold("inventory_records.system_id", after->text())) return ids;
    auto params = Params::of(limit);
    if (after) params.add(*after);
    const auto rows =
        connection.run(fmt::format(kSystems, after ? "WHERE system_id > $2" : ""), std::move(params));
    for (int row = 0; row < rows.count(); ++row) ids.emplace_back(rows.text(row, 0));
    return ids;
  });
}

Result<std::vector<StoredRecord>> RetentionStore::records(const SystemId& system_id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::vector<StoredRecord> {
    std::vector<StoredRecord> records;
    if (!schema.can_hold("inventory_records.system_id", system_id.text()) ||
        !schema.can_hold("inventory_diffs.system_id", system_id.text())) {
      return records;
    }
    // The untold ones first: what is told until the second answer stays for one pass more.
    const std::array statements = {
        Statement{"SELECT DISTINCT current_id FROM inventory_diffs WHERE system_id = $1 "
                  "AND notification_sent = false AND current_id IS NOT NULL",
                  Params::of(system_id)},
        Statement{"SELECT id, coalesce(created_at, timestamp), timestamp, processed_at IS NULL "
                  "FROM inventory_records WHERE system_id = $1",
                  Params::of(system_id)}};
    const auto answers = connection.run(statements);
    std::set<std::int64_t> untold;
    for (int row = 0; row < answers[0].count(); ++row) untold.insert(answers[0].int64(row, 0));
    const auto& rows = answers[1];
    for (int row = 0; row < rows.count(); ++row) {
      records.push_back({RecordId{rows.int64(row, 0)}, rows.time(row, 1), rows.time(row, 2),
                         rows.flag(row, 3), untold.contains(rows.int64(row, 0))});
    }
    return records;
  });
}

Result<Forgotten> RetentionStore::forgettable(const Horizons& horizons) {
  return pool_.read([&](Connection& connection, const Schema&) {
    Forgotten found;
    for (const Kind& kind : kKinds) {
      const auto rows = connection.run(
          fmt::format("SELECT count(*) FROM {} WHERE {} AND {} < $1", kind.table, kind.which, kind.age),
          Params::of(horizons.*kind.before));
      found.*kind.count = static_cast<std::uint64_t>(rows.int64(0, 0));
    }
    return found;
  });
}

Result<Forgotten> RetentionStore::forget(const Horizons& horizons, std::size_t limit) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    Forgotten gone;
    for (const Kind& kind : kKinds) {
      const auto rows = transaction.run(
          fmt::format(
              "DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE {1} AND {2} < $1 ORDER BY {2} LIMIT $2)",
              kind.table, kind.which, kind.age),
          Params::of(horizons.*kind.before, limit));
      gone.*kind.count = static_cast<std::uint64_t>(rows.affected());
    }
    return gone;
  });
}

Result<std::optional<Noted>> RetentionStore::progress() {
  return pool_.read([](Connection& connection, const Schema&) -> std::optional<Noted> {
    const auto rows = connection.run("SELECT value, updated_at FROM collect_state WHERE key = 'retention'");
    if (rows.empty()) return std::nullopt;
    return Noted{rows.text(0, 0), rows.time(0, 1)};
  });
}

Result<void> RetentionStore::note_progress(std::string_view progress, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add(
        "INSERT INTO collect_state (key, value, updated_at) VALUES ('retention', $1, $2) "
        "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_at = EXCLUDED.updated_at",
        Params::of(progress, now));
  });
}

}  // namespace collect::postgres
