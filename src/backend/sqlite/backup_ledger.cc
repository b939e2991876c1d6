// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/backup_ledger.h"

namespace collect::sqlite {
namespace {

using backups::Reservation;

// What lapsed counts no more; it goes when even a process whose clock is late would say so.
constexpr std::chrono::minutes kRest{10};

void put(Transaction& transaction, const Reservation& one, std::string_view state, Time until) {
  transaction.run(
      "INSERT INTO backup_reservations(object_key, organization_id, system_id, size, state, lasts_until)"
      " VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (object_key) DO UPDATE SET state = excluded.state, lasts_until = excluded.lasts_until",
      one.key, one.organization_id, one.system_id, one.size, state, until);
}

}  // namespace

Result<bool> BackupLedger::reserve(const Reservation& wanted, const backups::Fits& fits, Time now,
                                   Time until) {
  return database_.write([&](Transaction& transaction) {
    transaction.run("DELETE FROM backup_reservations WHERE lasts_until < ?", now - kRest);
    std::vector<Reservation> others;
    {
      auto row = transaction.query(
          "SELECT object_key, system_id, size FROM backup_reservations"
          " WHERE organization_id = ? AND lasts_until >= ?",
          wanted.organization_id, now);
      while (row.next())
        others.push_back({row.text(0), wanted.organization_id, SystemId(row.text(1)),
                          static_cast<std::uint64_t>(row.int64(2))});
    }
    if (!fits(others)) return false;
    put(transaction, wanted, "uploading", until);
    return true;
  });
}

Result<void> BackupLedger::renew(std::span<const std::string> keys, Time until) {
  return database_.write([&](Transaction& transaction) {
    for (const std::string& key : keys)
      transaction.run(
          "UPDATE backup_reservations SET lasts_until = ?2 WHERE object_key = ?1 AND state <> 'settled'", key,
          until);
  });
}

Result<bool> BackupLedger::take_turn(const Reservation& mine, Time now, Time until) {
  return database_.write([&](Transaction& transaction) {
    {
      auto other = transaction.query(
          "SELECT 1 FROM backup_reservations"
          " WHERE system_id = ? AND state = 'ending' AND object_key <> ? AND lasts_until >= ?",
          mine.system_id, mine.key, now);
      if (other.next()) return false;
    }
    put(transaction, mine, "ending", until);
    return true;
  });
}

Result<void> BackupLedger::settle(const Reservation& mine, Time uploaded_at, Time expected_by, Time until) {
  return database_.write([&](Transaction& transaction) {
    put(transaction, mine, "settled", until);
    transaction.run(
        "INSERT INTO backup_expectations(system_id, last_backup, expected_by) VALUES (?, ?, ?)"
        " ON CONFLICT (system_id) DO UPDATE"
        " SET last_backup = excluded.last_backup, expected_by = excluded.expected_by"
        " WHERE backup_expectations.last_backup <= excluded.last_backup",
        mine.system_id, uploaded_at, expected_by);
  });
}

Result<void> BackupLedger::forget(std::span<const std::string> keys) {
  return database_.write([&](Transaction& transaction) {
    for (const std::string& key : keys)
      transaction.run("DELETE FROM backup_reservations WHERE object_key = ?", key);
  });
}

Result<std::vector<backups::Overdue>> BackupLedger::overdue(Time now) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<backups::Overdue> found;
    auto row = snapshot.query(
        "SELECT e.system_id, e.last_backup, e.expected_by FROM backup_expectations e"
        " JOIN systems s ON s.id = e.system_id"
        " WHERE e.expected_by < ? AND s.deleted_at IS NULL ORDER BY e.system_id",
        now);
    while (row.next()) found.push_back({SystemId(row.text(0)), row.time(1), row.time(2)});
    return found;
  });
}

}  // namespace collect::sqlite
