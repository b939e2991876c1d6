// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/link_failure_store.h"

#include "backend/sqlite/system_rows.h"

namespace collect::sqlite {
namespace {

using alerts::AlertId;
using liveness::LinkFailure;
using liveness::LinkState;
using liveness::Untold;

std::vector<SystemId> page_after(Snapshot& snapshot, const SystemId& after, std::size_t limit) {
  auto row = snapshot.query(
      "SELECT id FROM systems WHERE status = 'inactive' AND status IN ('unknown', 'inactive')"
      "   AND deleted_at IS NULL AND id > ?1"
      " UNION SELECT system_id FROM link_failures WHERE system_id > ?1 ORDER BY 1 LIMIT ?2",
      after, limit);
  std::vector<SystemId> ids;
  while (row.next()) ids.emplace_back(row.text(0));
  return ids;
}

std::optional<LinkFailure> find_failure(Snapshot& snapshot, const SystemId& id) {
  auto row = snapshot.query(
      "SELECT f.alert_id, f.last_heartbeat, a.created_at, a.is_resolved,"
      "   coalesce(a.resolved_at, a.updated_at), f.told, a.message, a.severity = 'critical', f.tenant, "
      "f.labels"
      " FROM link_failures f JOIN inventory_alerts a ON a.id = f.alert_id WHERE f.system_id = ?",
      id);
  if (!row.next()) return std::nullopt;
  LinkFailure failure;
  failure.alert_id = AlertId{row.int64(0)};
  failure.last_heartbeat = row.maybe_time(1);
  failure.noticed = row.time(2);
  if (row.flag(3)) failure.resolved_at = row.time(4);
  failure.told = row.flag(5);
  failure.message = row.text(6);
  failure.critical = row.flag(7);
  failure.posted = {row.text(8), liveness::labels_from_json(row.view(9))};
  return failure;
}

void resolve(Transaction& transaction, AlertId id, Time now) {
  if (transaction.run("UPDATE inventory_alerts SET is_resolved = 1, resolved_at = ?2, updated_at = ?2"
                      " WHERE id = ?1 AND is_resolved = 0",
                      id, now) == 0)
    return;
  transaction.run(
      "INSERT INTO alert_notifications(channel, alert_id, news, critical, system_id, organization_id,"
      "   created_at)"
      " SELECT DISTINCT channel, alert_id, 'resolved', critical, system_id, organization_id, ?2"
      " FROM alert_notifications WHERE alert_id = ?1 AND news = 'firing'",
      id, now);
}

AlertId begin(Transaction& transaction, const liveness::NewLinkFailure& one, Time now) {
  transaction.run(
      "INSERT INTO inventory_alerts(system_id, rule, alert_type, message, severity, created_at, updated_at)"
      " VALUES (?1, 'link_failed', 'link_failed', ?2, ?3, ?4, ?4)",
      one.system_id, one.message, diff::to_string(one.severity), now);
  const AlertId id{transaction.last_insert_id()};
  transaction.run(
      "INSERT OR REPLACE INTO link_failures(system_id, alert_id, last_heartbeat, tenant, labels)"
      " VALUES (?, ?, ?, ?, ?)",
      one.system_id, id, one.last_heartbeat, one.posted.tenant, liveness::labels_to_json(one.posted.labels));
  return id;
}

void forget_one(Transaction& transaction, AlertId id) {
  transaction.run("DELETE FROM link_failures WHERE alert_id = ?", id);
}

}  // namespace

Result<liveness::Reviewed> LinkFailureStore::review(const SystemId& after, std::size_t limit, Time now,
                                                    const liveness::DecidePlan& decide) {
  return database_.write([&](Transaction& transaction) {
    liveness::Reviewed reviewed;
    std::vector<LinkState> states;
    for (const auto& id : page_after(transaction, after, limit)) {
      reviewed.last = id;
      if (auto system = find_system(transaction, id))
        states.push_back({*std::move(system), find_failure(transaction, id)});
    }
    if (states.empty()) return reviewed;
    const auto plan = decide(states);
    for (const auto id : plan.resolved) resolve(transaction, id, now);
    for (const auto& one : plan.begun) reviewed.begun.push_back(begin(transaction, one, now));
    for (const auto& one : plan.relabelled)
      transaction.run("UPDATE link_failures SET tenant = ?2, labels = ?3 WHERE alert_id = ?1", one.alert_id,
                      one.posted.tenant, liveness::labels_to_json(one.posted.labels));
    for (const auto id : plan.forgotten) forget_one(transaction, id);
    return reviewed;
  });
}

Result<std::size_t> LinkFailureStore::tell(std::span<const Untold> outages,
                                           std::span<const std::string> channels, Time now) {
  return database_.write([&](Transaction& transaction) {
    std::size_t told = 0;
    for (const Untold& one : outages) {
      if (transaction.run("UPDATE link_failures SET told = 1 WHERE alert_id = ?1 AND told = 0 AND EXISTS"
                          "   (SELECT 1 FROM inventory_alerts WHERE id = ?1 AND is_resolved = 0)",
                          one.alert_id) == 0)
        continue;
      ++told;
      for (const auto& channel : channels)
        transaction.run(
            "INSERT INTO alert_notifications(channel, alert_id, news, critical, system_id, organization_id,"
            "   created_at)"
            " VALUES (?, ?, 'firing', ?, ?, ?, ?)",
            channel, one.alert_id, one.critical, one.system_id, one.organization_id, now);
    }
    return told;
  });
}

Result<void> LinkFailureStore::forget(std::span<const AlertId> outages) {
  return database_.write([&](Transaction& transaction) {
    for (const auto id : outages) forget_one(transaction, id);
  });
}

Result<liveness::FleetCount> LinkFailureStore::count() {
  return database_.read([&](Snapshot& snapshot) {
    liveness::FleetCount count;
    auto row = snapshot.query(
        "SELECT status, count(*), sum(suspended_at IS NULL) FROM systems WHERE deleted_at IS NULL"
        " GROUP BY status");
    while (row.next()) {
      count.by_status[row.text(0)] = static_cast<std::uint64_t>(row.int64(1));
      if (row.view(0) == "active") count.active = static_cast<std::uint64_t>(row.int64(2));
    }
    auto open = snapshot.query(
        "SELECT count(*) FROM link_failures f JOIN inventory_alerts a ON a.id = f.alert_id"
        " WHERE a.is_resolved = 0");
    if (open.next()) count.link_failed = static_cast<std::uint64_t>(open.int64(0));
    return count;
  });
}

}  // namespace collect::sqlite
