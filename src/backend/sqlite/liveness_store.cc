// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/liveness_store.h"

namespace collect::sqlite {
namespace {

using liveness::Transitions;

std::vector<SystemId> ids_of(Cursor row) {
  std::vector<SystemId> ids;
  while (row.next()) ids.emplace_back(row.text(0));
  return ids;
}

// Each starts at the smaller side: the few systems that are silent, and the few heartbeats that are old.
Transitions candidates(Snapshot& snapshot, Time fresh_since, std::optional<Time> stale_before) {
  Transitions found;
  found.activated = ids_of(snapshot.query(
      "SELECT s.id FROM systems s CROSS JOIN system_heartbeats h ON h.system_id = s.id"
      " WHERE s.status IN ('unknown', 'inactive') AND s.deleted_at IS NULL AND h.last_heartbeat >= ?",
      fresh_since));
  if (stale_before)
    found.deactivated = ids_of(
        snapshot.query("SELECT s.id FROM system_heartbeats h CROSS JOIN systems s ON s.id = h.system_id"
                       " WHERE h.last_heartbeat < ? AND s.status = 'active' AND s.deleted_at IS NULL",
                       *stale_before));
  return found;
}

bool activate(Transaction& transaction, const SystemId& id, Time fresh_since) {
  return transaction.run(
             "UPDATE systems SET status = 'active'"
             " WHERE id = ?1 AND status IN ('unknown', 'inactive') AND deleted_at IS NULL AND EXISTS"
             "   (SELECT 1 FROM system_heartbeats WHERE system_id = ?1 AND last_heartbeat >= ?2)",
             id, fresh_since) > 0;
}

bool deactivate(Transaction& transaction, const SystemId& id, Time stale_before) {
  return transaction.run(
             "UPDATE systems SET status = 'inactive'"
             " WHERE id = ?1 AND status = 'active' AND deleted_at IS NULL AND EXISTS"
             "   (SELECT 1 FROM system_heartbeats WHERE system_id = ?1 AND last_heartbeat < ?2)",
             id, stale_before) > 0;
}

}  // namespace

Result<void> LivenessStore::write(std::span<const liveness::Heartbeat> heartbeats) {
  return database_.write([&](Transaction& transaction) {
    for (const auto& heartbeat : heartbeats)
      transaction.run(
          "INSERT INTO system_heartbeats(system_id, last_heartbeat, status, created_at)"
          " SELECT id, ?2, 'active', ?2 FROM systems WHERE id = ?1"
          " ON CONFLICT (system_id) DO UPDATE SET last_heartbeat = excluded.last_heartbeat"
          " WHERE system_heartbeats.last_heartbeat < excluded.last_heartbeat",
          heartbeat.system_id, heartbeat.at);
  });
}

// The search reads every heartbeat: it must not hold up writers. What it found is checked again, row by row.
Result<Transitions> LivenessStore::apply(Time fresh_since, std::optional<Time> stale_before) {
  auto found =
      database_.read([&](Snapshot& snapshot) { return candidates(snapshot, fresh_since, stale_before); });
  if (!found.ok() || (found->activated.empty() && found->deactivated.empty())) return found;
  return database_.write([&](Transaction& transaction) {
    std::erase_if(found->activated,
                  [&](const SystemId& id) { return !activate(transaction, id, fresh_since); });
    std::erase_if(found->deactivated,
                  [&](const SystemId& id) { return !deactivate(transaction, id, *stale_before); });
    return std::move(*found);
  });
}

Result<std::optional<Time>> LivenessStore::last_run() {
  return database_.read([](Snapshot& snapshot) {
    auto row = snapshot.query("SELECT value FROM collect_state WHERE key = 'heartbeat_monitor_ran'");
    return row.next() ? row.maybe_time(0) : std::nullopt;
  });
}

Result<void> LivenessStore::note_run(Time now) {
  return database_.write([&](Transaction& transaction) {
    transaction.run(
        "INSERT INTO collect_state(key, value, updated_at) VALUES ('heartbeat_monitor_ran', ?1, ?1)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        now);
  });
}

}  // namespace collect::sqlite
