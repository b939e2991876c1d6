// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/migrations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

namespace collect::postgres {
namespace {

// The lock's number is arbitrary but the same for all processes; "collect" in ASCII.
constexpr std::int64_t kLock = 0x636f6c6c656374;

// Throws where a newer program was here.
std::set<std::string> applied_names(Connection& connection) {
  std::set<std::string> names;
  if (!connection.run("SELECT to_regclass('collect_migrations') IS NOT NULL").flag(0, 0)) return names;
  const auto rows = connection.run("SELECT name FROM collect_migrations ORDER BY name");
  for (int row = 0; row < rows.count(); ++row) {
    auto name = rows.text(row, 0);
    if (!backend::is_known(migrations(), name)) throw Fault(backend::unknown_migration(name));
    names.insert(std::move(name));
  }
  return names;
}

// The lock belongs to the session, so that a migration's own transaction may fail and the lock still be given
// back; a broken session gives it back too.
class MigrationLock {
 public:
  explicit MigrationLock(Connection& connection) : connection_(connection) {
    connection_.script(fmt::format("SELECT pg_advisory_lock({})", kLock));
  }
  ~MigrationLock() {
    if (!connection_.usable()) return;
    try {
      connection_.script(fmt::format("SELECT pg_advisory_unlock({})", kLock));
    } catch (const Fault&) {
      // The session ends in a moment anyway.
    }
  }
  MigrationLock(const MigrationLock&) = delete;
  MigrationLock& operator=(const MigrationLock&) = delete;

 private:
  Connection& connection_;
};

void apply(Connection& connection, const backend::Migration& migration, Time now) {
  try {
    connection.script(
        fmt::format("BEGIN;\n{}\n;INSERT INTO collect_migrations (name, applied_at) VALUES ('{}', '{}');"
                    "COMMIT;",
                    migration.sql, migration.name, to_rfc3339(now)));
  } catch (const Fault& fault) {
    if (connection.usable()) connection.script("ROLLBACK");
    throw Fault(
        {fault.failure().kind, fmt::format("migration {}: {}", migration.name, fault.failure().message)});
  }
}

}  // namespace

Result<MigrationReport> migrate(const SessionOptions& options, Time now) {
  try {
    Connection connection(options);
    connection.script("SET statement_timeout = 0; SET lock_timeout = 0; SET enable_seqscan = on");
    const MigrationLock lock(connection);
    connection.script(
        "CREATE TABLE IF NOT EXISTS collect_migrations (name text PRIMARY KEY, applied_at timestamptz NOT "
        "NULL)");
    const auto before = applied_names(connection);
    MigrationReport report;
    for (const auto& migration : migrations()) {
      if (before.contains(std::string(migration.name))) {
        report.present.emplace_back(migration.name);
        continue;
      }
      apply(connection, migration, now);
      report.applied.emplace_back(migration.name);
    }
    return report;
  } catch (const Fault& fault) {
    return fault.failure();
  }
}

Result<std::vector<std::string>> missing_migrations(const SessionOptions& options) {
  try {
    Connection connection(options);
    const auto applied = applied_names(connection);
    std::vector<std::string> missing;
    for (const auto& migration : migrations()) {
      std::string name(migration.name);
      if (!applied.contains(name)) missing.push_back(std::move(name));
    }
    return missing;
  } catch (const Fault& fault) {
    return fault.failure();
  }
}

Result<void> check_migrated(const SessionOptions& options) {
  const auto missing = missing_migrations(options);
  if (!missing) return missing.failure();
  if (missing->empty()) return {};
  return invalid(
      fmt::format("the database lacks the migrations {}: run `collect migrate`", fmt::join(*missing, ", ")));
}

}  // namespace collect::postgres
