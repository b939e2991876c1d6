// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/backup_ledger.h"

#include <fmt/format.h>

namespace collect::postgres {
namespace {

using backups::Reservation;

// What lapsed counts no more; it goes when even a process whose clock is late would say so.
constexpr std::chrono::minutes kRest{10};

// The first numbers tell these uses of advisory locks from others; they are arbitrary.
constexpr std::string_view kLockOrganization = "SELECT pg_advisory_xact_lock(1634496883, hashtext($1))";
constexpr std::string_view kLockSystem = "SELECT pg_advisory_xact_lock(1634496884, hashtext($1))";

void put(Transaction& transaction, const Reservation& one, std::string_view state, Time until) {
  transaction.add(
      "INSERT INTO backup_reservations (object_key, organization_id, system_id, size, state, lasts_until) "
      "VALUES ($1, $2, $3, $4, $5, $6) "
      "ON CONFLICT (object_key) DO UPDATE SET state = EXCLUDED.state, lasts_until = EXCLUDED.lasts_until",
      Params::of(one.key, one.organization_id, one.system_id, static_cast<std::int64_t>(one.size), state,
                 until));
}

Params keys_of(std::span<const std::string> keys) {
  Params params;
  params.array(keys, [](const std::string& key) { return std::string_view(key); });
  return params;
}

}  // namespace

Result<bool> BackupLedger::reserve(const Reservation& wanted, const backups::Fits& fits, Time now,
                                   Time until) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add(std::string(kLockOrganization), Params::of(wanted.organization_id));
    transaction.add("DELETE FROM backup_reservations WHERE lasts_until < $1", Params::of(now - kRest));
    // A statement of its own after the lock: read committed shows what others wrote while this one waited.
    const auto rows = transaction.run(
        "SELECT object_key, system_id, size FROM backup_reservations "
        "WHERE organization_id = $1 AND lasts_until >= $2",
        Params::of(wanted.organization_id, now));
    std::vector<Reservation> others;
    for (int row = 0; row < rows.count(); ++row) {
      others.push_back({rows.text(row, 0), wanted.organization_id, SystemId(rows.text(row, 1)),
                        static_cast<std::uint64_t>(rows.int64(row, 2))});
    }
    if (!fits(others)) return false;
    put(transaction, wanted, "uploading", until);
    return true;
  });
}

Result<void> BackupLedger::renew(std::span<const std::string> keys, Time until) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    Params params = keys_of(keys);
    params.add(until);
    // In one order, so that two processes do not wait in a circle.
    transaction.add(
        "UPDATE backup_reservations r SET lasts_until = $2 FROM (SELECT object_key FROM backup_reservations "
        "WHERE object_key = ANY($1::text[]) AND state <> 'settled' ORDER BY object_key FOR UPDATE) mine "
        "WHERE r.object_key = mine.object_key",
        std::move(params));
  });
}

Result<bool> BackupLedger::take_turn(const Reservation& mine, Time now, Time until) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add(std::string(kLockSystem), Params::of(mine.system_id));
    const auto others = transaction.run(
        "SELECT 1 FROM backup_reservations "
        "WHERE system_id = $1 AND state = 'ending' AND object_key <> $2 AND lasts_until >= $3",
        Params::of(mine.system_id, mine.key, now));
    if (!others.empty()) return false;
    put(transaction, mine, "ending", until);
    return true;
  });
}

Result<void> BackupLedger::settle(const Reservation& mine, Time uploaded_at, Time expected_by, Time until) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    put(transaction, mine, "settled", until);
    transaction.add(
        "INSERT INTO backup_expectations AS e (system_id, last_backup, expected_by) VALUES ($1, $2, $3) "
        "ON CONFLICT (system_id) DO UPDATE "
        "SET last_backup = EXCLUDED.last_backup, expected_by = EXCLUDED.expected_by "
        "WHERE e.last_backup <= EXCLUDED.last_backup",
        Params::of(mine.system_id, uploaded_at, expected_by));
  });
}

Result<void> BackupLedger::forget(std::span<const std::string> keys) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    transaction.add("DELETE FROM backup_reservations WHERE object_key = ANY($1::text[])", keys_of(keys));
  });
}

Result<std::vector<backups::Overdue>> BackupLedger::overdue(Time now) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    const auto rows = connection.run(
        fmt::format("SELECT e.system_id, e.last_backup, e.expected_by FROM backup_expectations e "
                    "JOIN systems s ON s.id = e.system_id::{} "
                    "WHERE e.expected_by < $1 AND s.deleted_at IS NULL ORDER BY e.system_id",
                    schema.type("systems.id")),
        Params::of(now));
    std::vector<backups::Overdue> found;
    for (int row = 0; row < rows.count(); ++row) {
      found.push_back({SystemId(rows.text(row, 0)), rows.time(row, 1), rows.time(row, 2)});
    }
    return found;
  });
}

}  // namespace collect::postgres
