// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/alert_history_store.h"

#include <fmt/format.h>

namespace collect::postgres {
namespace {

using alertmanager::HistoryEntry;

std::string upsert(HistoryEntry::Same same, const Schema& schema) {
  return fmt::format(
      "WITH same AS (UPDATE alert_history SET severity = $4, status = $5, fingerprint = $6, ends_at = $7, "
      "summary = $8, labels = $9, annotations = $10, receiver = $11 WHERE id = "
      "(SELECT id FROM alert_history WHERE system_key = $1 AND alertname = $2 AND starts_at = $3{} "
      "ORDER BY id DESC LIMIT 1) RETURNING id) "
      "INSERT INTO alert_history (system_key, organization_id, alertname, severity, status, fingerprint, "
      "starts_at, ends_at, summary, labels, annotations, receiver, created_at) "
      "SELECT $1, (SELECT organization_id::text::{} FROM systems WHERE system_key = $1), $2, $4, $5, $6, $3, "
      "$7, "
      "$8, $9, $10, $11, $12::timestamptz WHERE NOT EXISTS (SELECT FROM same)",
      same == HistoryEntry::Same::outage
          ? ""
          : " AND fingerprint IS NOT DISTINCT FROM $6 AND ends_at IS NOT DISTINCT FROM $7",
      schema.type("alert_history.organization_id"));
}

}  // namespace

Result<void> AlertHistoryStore::write(std::span<const HistoryEntry> entries, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    // A pair of Alertmanagers may post the same at the same time, and tables that others made can hold what
    // no unique index would allow.
    transaction.add("SELECT pg_advisory_xact_lock(hashtext('collect_alert_history'))");
    for (const HistoryEntry& entry : entries) {
      transaction.add(upsert(entry.same, schema),
                      Params::of(entry.system_key, entry.alertname, entry.starts_at, entry.severity,
                                 entry.status, entry.fingerprint, entry.ends_at, entry.summary, entry.labels,
                                 entry.annotations, entry.receiver, now));
    }
  });
}

}  // namespace collect::postgres
