// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/migrations.h"

#include <fmt/format.h>

namespace collect::sqlite {
namespace {

// The first name in the table that no file has; empty: none.
Result<std::string> prepare_book(Database& database, std::span<const backend::Migration> files) {
  return database.write([&](Transaction& transaction) -> Result<std::string> {
    transaction.run(
        "CREATE TABLE IF NOT EXISTS collect_migrations(name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)");
    auto row = transaction.query("SELECT name FROM collect_migrations ORDER BY name");
    while (row.next())
      if (!backend::is_known(files, row.view(0))) return row.text(0);
    return std::string();
  });
}

// False: it was applied already.
Result<bool> apply(Database& database, const backend::Migration& file, Time now) {
  return database.write([&](Transaction& transaction) {
    if (transaction.run(
            "INSERT INTO collect_migrations(name, applied_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
            file.name, now) == 0)
      return false;
    transaction.script(std::string(file.sql));
    return true;
  });
}

}  // namespace

Result<std::vector<std::string>> migrate(Database& database, std::span<const backend::Migration> files,
                                         Time now) {
  const auto unknown = prepare_book(database, files);
  if (!unknown.ok()) return unknown.failure();
  if (!unknown->empty()) return backend::unknown_migration(*unknown);
  std::vector<std::string> applied;
  for (const auto& file : files) {
    const auto done = apply(database, file, now);
    if (!done.ok())
      return Failure{done.failure().kind, fmt::format("migration {}: {}", file.name, done.failure().message)};
    if (*done) applied.emplace_back(file.name);
  }
  return applied;
}

Result<std::vector<std::string>> migrate(Database& database, Time now) {
  return migrate(database, migrations(), now);
}

Result<std::vector<std::string>> migrate(Database& database) {
  return migrate(database, SystemClock().now());
}

}  // namespace collect::sqlite
