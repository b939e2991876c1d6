// SPDX-License-Identifier: Apache-2.0
// The tables of the embedded engine, as numbered SQL files that are compiled in. A file that was released is
// never edited: the next number changes what it made.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "backend/migration.h"
#include "backend/sqlite/database.h"
#include "base/clock.h"

namespace collect::sqlite {

std::span<const backend::Migration> migrations();

// Applies the files that collect_migrations does not name yet, in order, each in a transaction of its own;
// processes that come at the same time wait for each other. Returns the names applied, none on a current
// file. A failure leaves those applied before it. `conflict`: the file was made by a newer Collect.
Result<std::vector<std::string>> migrate(Database& database, Time now);
Result<std::vector<std::string>> migrate(Database& database);  // now: the system's clock

// As above with other files than the compiled-in ones.
Result<std::vector<std::string>> migrate(Database& database, std::span<const backend::Migration> files,
                                         Time now);

}  // namespace collect::sqlite
