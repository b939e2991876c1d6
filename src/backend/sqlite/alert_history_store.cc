// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/alert_history_store.h"

namespace collect::sqlite {
namespace {

using alertmanager::HistoryEntry;

bool update_same(Transaction& transaction, const HistoryEntry& entry) {
  return transaction.run(
             "UPDATE alert_history SET severity = ?4, status = ?5, fingerprint = ?6, ends_at = ?7, summary = "
             "?8,"
             " labels = ?9, annotations = ?10, receiver = ?11 WHERE id ="
             " (SELECT id FROM alert_history WHERE system_key = ?1 AND alertname = ?2 AND starts_at = ?3"
             "   AND (?12 OR (fingerprint IS ?6 AND ends_at IS ?7)) ORDER BY id DESC LIMIT 1)",
             entry.system_key, entry.alertname, entry.starts_at, entry.severity, entry.status,
             entry.fingerprint, entry.ends_at, entry.summary, entry.labels, entry.annotations, entry.receiver,
             entry.same == HistoryEntry::Same::outage) > 0;
}

}  // namespace

Result<void> AlertHistoryStore::write(std::span<const HistoryEntry> entries, Time now) {
  return database_.write([&](Transaction& transaction) {
    for (const HistoryEntry& entry : entries) {
      if (update_same(transaction, entry)) continue;
      transaction.run(
          "INSERT INTO alert_history(system_key, organization_id, alertname, severity, status, fingerprint,"
          " starts_at, ends_at, summary, labels, annotations, receiver, created_at)"
          " VALUES (?1, (SELECT organization_id FROM systems WHERE system_key = ?1),"
          " ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
          entry.system_key, entry.alertname, entry.severity, entry.status, entry.fingerprint, entry.starts_at,
          entry.ends_at, entry.summary, entry.labels, entry.annotations, entry.receiver, now);
    }
  });
}

}  // namespace collect::sqlite
