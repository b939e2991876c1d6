// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/liveness_store.h"

#include <fmt/format.h>

#include <set>

namespace collect::postgres {
namespace {

using liveness::Heartbeat;
using liveness::Transitions;

// The rows are locked in the order in which batches of inventories lock them.
std::string transition(std::string_view status, std::string_view condition) {
  return fmt::format(
      "WITH due AS (SELECT s.id FROM systems s JOIN system_heartbeats h ON h.system_id = s.id "
      "WHERE s.deleted_at IS NULL AND {} ORDER BY s.id FOR NO KEY UPDATE OF s) "
      "UPDATE systems s SET status = '{}' FROM due WHERE s.id = due.id RETURNING s.id",
      condition, status);
}

std::vector<SystemId> ids_of(const Rows& rows) {
  std::vector<SystemId> ids;
  for (int row = 0; row < rows.count(); ++row) ids.emplace_back(rows.text(row, 0));
  return ids;
}

}  // namespace

Result<void> LivenessStore::write(std::span<const Heartbeat> heartbeats) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    std::vector<const Heartbeat*> writable;
    for (const auto& heartbeat : heartbeats) {
      if (schema.can_hold("systems.id", heartbeat.system_id.text())) writable.push_back(&heartbeat);
    }
    if (writable.empty()) return;
    Params params;
    params.array(writable, [](const Heartbeat* heartbeat) { return heartbeat->system_id; })
        .array(writable, [](const Heartbeat* heartbeat) { return heartbeat->at; });
    // In one order, so that two processes' batches do not wait in a circle.
    transaction.add(
        fmt::format("INSERT INTO system_heartbeats AS h (system_id, last_heartbeat, status, created_at) "
                    "SELECT s.id, u.at, 'active', u.at FROM unnest($1::{}[], $2::timestamptz[]) AS u(id, at) "
                    "JOIN systems s ON s.id = u.id ORDER BY s.id "
                    "ON CONFLICT (system_id) DO UPDATE SET last_heartbeat = EXCLUDED.last_heartbeat "
                    "WHERE h.last_heartbeat IS NULL OR h.last_heartbeat < EXCLUDED.last_heartbeat",
                    schema.type("systems.id")),
        std::move(params));
  });
}

Result<Transitions> LivenessStore::apply(Time fresh_since, std::optional<Time> stale_before) {
  return pool_.write(
      [&](Transaction& transaction, const Schema&) {
        transaction.add(
            transition("active", "s.status IN ('unknown', 'inactive') AND h.last_heartbeat >= $1"),
            Params::of(fresh_since));
        if (stale_before) {
          transaction.add(transition("inactive", "s.status = 'active' AND h.last_heartbeat < $1"),
                          Params::of(*stale_before));
        }
        const auto answers = transaction.flush();
        Transitions transitions;
        transitions.activated = ids_of(answers[0]);
        if (stale_before) transitions.deactivated = ids_of(answers[1]);
        return transitions;
      },
      Plan::scan);
}

Result<std::optional<Time>> LivenessStore::last_run() {
  return pool_.read([&](Connection& connection, const Schema&) -> std::optional<Time> {
    const auto rows =
        connection.run("SELECT updated_at FROM collect_state WHERE key = 'heartbeat_monitor_ran'");
    return rows.empty() ? std::nullopt : rows.maybe_time(0, 0);
  });
}

Result<void> LivenessStore::note_run(Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add(
        "INSERT INTO collect_state (key, value, updated_at) VALUES ('heartbeat_monitor_ran', $1, $2) "
        "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_at = EXCLUDED.updated_at",
        Params::of(to_rfc3339(now), now));
  });
}

}  // namespace collect::postgres
