// SPDX-License-Identifier: Apache-2.0
// Brings a database, empty or taken over with its data, to the tables that this program expects.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "backend/migration.h"
#include "backend/postgres/connection.h"
#include "base/clock.h"
#include "base/result.h"

namespace collect::postgres {

// What migrations/NNNN_name.sql say, in order.
std::span<const backend::Migration> migrations();

struct MigrationReport {
  std::vector<std::string> applied;  // names, in order; empty: there was nothing to do
  std::vector<std::string> present;  // had been applied before
};

// Applies what is missing, each file in one transaction that also notes it in collect_migrations, one process
// at a time. Nothing is ever dropped but constraints that contradict the tables' rules. Takes as long as it
// takes (indexes of large tables are built), meanwhile those tables cannot be written.
Result<MigrationReport> migrate(const SessionOptions& options, Time now);

// The names of those that this database lacks. Later ones than this program knows are fine.
Result<std::vector<std::string>> missing_migrations(const SessionOptions& options);
// `invalid` names them and says what to do.
Result<void> check_migrated(const SessionOptions& options);

}  // namespace collect::postgres
