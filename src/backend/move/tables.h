// SPDX-License-Identifier: Apache-2.0
// The tables as they are moved: read from SQLite a chunk at a time, every value as text, and written to
// PostgreSQL in whatever type the column has there. All but move_table() throw Fault of their side.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/postgres/pool.h"
#include "backend/sqlite/database.h"
#include "inventory/packing.h"

namespace collect::backend {

struct MovedTable {
  std::string_view name;
  std::string_view key;     // by which it is read
  std::string_view system;  // what tells whose a row is; empty: nobody's
  bool numbered = false;    // the key comes from a sequence
};
// In the order in which rows may refer to each other.
const std::vector<MovedTable>& moved_tables();

// `internal` names tables of the source that nobody moves and that are not known to stay: added later, and
// forgotten here.
Result<void> check_all_known(sqlite::Snapshot& source);

struct Column {
  std::string name;
  std::string type;      // PostgreSQL's, without modifiers
  std::string fallback;  // SQL, where null is not allowed there and may come; else empty
};
// Those that the source has, with their type on the target. `internal`: one is missing there.
Result<std::vector<Column>> columns_of(sqlite::Snapshot& source, postgres::Connection& target,
                                       const MovedTable& table);

// Rows, column by column; the last key.
struct Chunk {
  std::vector<std::vector<std::optional<std::string>>> columns;
  std::size_t rows = 0;
  std::string last;
  std::uint64_t damaged = 0;
};
// Rows after that key (nullopt: from the first), some thousand or some megabytes; no rows: the end. With
// `form` (of inventory_records only) also their documents, in the columns of document_columns().
Chunk read_chunk(sqlite::Snapshot& source, const MovedTable& table, const std::vector<Column>& columns,
                 const std::optional<std::string>& after, std::optional<inventory::DocumentForm> form);
std::vector<Column> document_columns();

void write_chunk(postgres::Transaction& target, const MovedTable& table, const std::vector<Column>& columns,
                 const Chunk& chunk);

// Sets the key's sequence past all that the source ever gave out.
void continue_numbering(sqlite::Snapshot& source, postgres::Transaction& target, const MovedTable& table);

// What a system's rows of a table are, in whatever order they are read: equal sums, equal rows.
struct Sum {
  std::uint64_t rows = 0;
  std::uint64_t words[4] = {0, 0, 0, 0};
  bool operator==(const Sum&) const = default;
};
using Sums = std::map<std::string, Sum>;  // by system
// Over all columns whose values have one text on both sides: not JSON and addresses.
Sums source_sums(sqlite::Snapshot& source, const MovedTable& table, const std::vector<Column>& columns);
Sums target_sums(postgres::Connection& target, const MovedTable& table, const std::vector<Column>& columns);

}  // namespace collect::backend
