// SPDX-License-Identifier: Apache-2.0
#include "backend/move/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstring>
#include <set>

#include "backend/sqlite/documents.h"
#include "base/hash.h"

namespace collect::backend {
namespace {

constexpr std::size_t kRows = 1000;
constexpr std::size_t kBytes = 8U << 20U;

// What a new instance has by itself, or of its own: bookkeeping of the engine, queues (queues.h), uploads
// that were under way, and documents, which go with their records.
constexpr std::array<std::string_view, 10> kStay = {
    "collect_migrations", "collect_state", "collect_terms",       "queue_messages",      "queue_leases",
    "queue_strikes",      "queue_depths",  "backup_reservations", "inventory_documents", "packed_documents"};

std::string joined(const std::vector<Column>& columns, std::string_view each) {
  std::vector<std::string> parts;
  parts.reserve(columns.size());
  for (const Column& column : columns) parts.push_back(fmt::format(fmt::runtime(each), column.name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::optional<std::string> value_at(const sqlite::Cursor& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.text(column));
}

std::size_t place_of(const std::vector<Column>& columns, std::string_view name) {
  std::size_t place = 0;
  while (place < columns.size() && columns[place].name != name) ++place;
  return place;
}

// The columns of document_columns().
struct DocumentValues {
  std::array<std::optional<std::string>, 5> values;
  bool damaged = false;
};

DocumentValues document_values(sqlite::Snapshot& source, RecordId record_id,
                               const std::optional<std::string>& hash, inventory::DocumentForm form) {
  DocumentValues out;
  const auto packed = sqlite::read_packed(source, record_id);
  if (!packed || form == inventory::DocumentForm::plain) {
    auto document = sqlite::read_document(source, record_id);
    if (document) {
      out.values[0] = *std::move(document);
      return out;
    }
    out.damaged = true;
    if (!packed) return out;
  }
  // The bases are moved under the same ids.
  out.values[1] = "\\x" + to_hex(packed->bytes);
  if (packed->base_id) out.values[2] = std::to_string(static_cast<std::int64_t>(*packed->base_id));
  out.values[3] = std::to_string(packed->position);
  if (packed->hash != hash) out.values[4] = packed->hash;
  return out;
}

std::string select_chunk(const MovedTable& table, const std::vector<Column>& columns, bool from_first) {
  return fmt::format("SELECT {}, {} FROM {} {} ORDER BY {} LIMIT {}", table.key, joined(columns, "\"{}\""),
                     table.name, from_first ? "" : fmt::format("WHERE {} > ?1", table.key), table.key, kRows);
}

// ---------------------------------------------------------------- sums

// SQL that gives a column's value as the text that SQLite has; empty: there is no such text.
std::string source_text(const Column& column) {
  if (!column.fallback.empty() || column.type == "jsonb" || column.type == "inet") return {};
  if (column.type == "boolean") return fmt::format("{}::int::text", column.name);
  if (column.type == "timestamp with time zone")
    return fmt::format("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", column.name);
  if (column.type == "timestamp without time zone")
    return fmt::format("to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", column.name);
  return fmt::format("{}::text", column.name);
}

std::vector<Column> comparable(const std::vector<Column>& columns) {
  std::vector<Column> out;
  for (const Column& column : columns) {
    if (!source_text(column).empty()) out.push_back(column);
  }
  return out;
}

class Adder {
 public:
  explicit Adder(Sums& sums) : sums_(sums) {}
  void begin() { row_.clear(); }
  void add(bool null, std::string_view value) {
    row_ += null ? "-" : fmt::format("{}:", value.size());
    if (!null) row_ += value;
  }
  void end(std::string_view system) {
    const Sha256 hash = sha256(row_);
    Sum& sum = sums_[std::string(system)];
    ++sum.rows;
    for (std::size_t i = 0; i < 4; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, hash.data() + 8 * i, 8);
      sum.words[i] += word;
    }
  }

 private:
  Sums& sums_;
  std::string row_;
};

}  // namespace

const std::vector<MovedTable>& moved_tables() {
  static const std::vector<MovedTable> tables = {{"distributors", "id", ""},
                                                 {"resellers", "id", ""},
                                                 {"customers", "id", ""},
                                                 {"systems", "id", "id"},
                                                 {"applications", "id", "system_id"},
                                                 {"inventory_records", "id", "system_id", true},
                                                 {"inventory_diffs", "id", "system_id", true},
                                                 {"system_heartbeats", "id", "system_id", true},
                                                 {"inventory_alerts", "id", "system_id", true},
                                                 {"alert_history", "id", "system_key", true},
                                                 {"processed_messages", "message_id", "system_id"},
                                                 {"alert_deliveries", "id", "system_id"},
                                                 {"alert_notifications", "id", "system_id", true},
                                                 {"link_failures", "system_id", "system_id"},
                                                 {"backup_expectations", "system_id", "system_id"}};
  return tables;
}

Result<void> check_all_known(sqlite::Snapshot& source) {
  std::set<std::string, std::less<>> unknown;
  auto row = source.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
  while (row.next()) unknown.insert(row.text(0));
  for (const auto& table : moved_tables()) unknown.erase(std::string(table.name));
  for (const auto name : kStay) unknown.erase(std::string(name));
  if (unknown.empty()) return {};
  return internal(fmt::format("nobody says how to move the tables {}", fmt::join(unknown, ", ")));
}

Result<std::vector<Column>> columns_of(sqlite::Snapshot& source, postgres::Connection& target,
                                       const MovedTable& table) {
  const auto rows = target.run(
      "SELECT a.attname, format_type(a.atttypid, NULL), "
      "CASE WHEN a.attnotnull THEN pg_get_expr(d.adbin, d.adrelid) END FROM pg_attribute a "
      "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
      "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
      postgres::Params::of(table.name));
  std::map<std::string, Column> there;
  for (int row = 0; row < rows.count(); ++row) {
    there[rows.text(row, 0)] = {rows.text(row, 0), rows.text(row, 1), rows.text(row, 2)};
  }
  std::vector<Column> columns;
  auto row = source.query("SELECT name, \"notnull\" = 0 AND pk = 0 FROM pragma_table_info(?1)", table.name);
  while (row.next()) {
    const auto found = there.find(row.text(0));
    if (found == there.end()) {
      return internal(fmt::format("PostgreSQL's table {} has no column {}", table.name, row.view(0)));
    }
    columns.push_back(found->second);
    if (!row.flag(1)) columns.back().fallback.clear();
  }
  return columns;
}

std::vector<Column> document_columns() {
  return {{"data", "jsonb", ""},
          {"packed", "bytea", ""},
          {"packed_base", "bigint", ""},
          {"packed_position", "integer", ""},
          {"packed_hash", "text", ""}};
}

Chunk read_chunk(sqlite::Snapshot& source, const MovedTable& table, const std::vector<Column>& columns,
                 const std::optional<std::string>& after, std::optional<inventory::DocumentForm> form) {
  Chunk chunk;
  chunk.columns.resize(columns.size() + (form ? document_columns().size() : 0));
  const auto hash = place_of(columns, "data_hash");
  std::size_t bytes = 0;
  auto row = after ? source.query(select_chunk(table, columns, false), *after)
                   : source.query(select_chunk(table, columns, true));
  while (bytes < kBytes && row.next()) {
    chunk.last = row.text(0);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      chunk.columns[i].push_back(value_at(row, static_cast<int>(i) + 1));
      bytes += chunk.columns[i].back().value_or("").size();
    }
    ++chunk.rows;
    if (!form) continue;
    auto document = document_values(source, RecordId{row.int64(0)}, chunk.columns[hash].back(), *form);
    if (document.damaged) ++chunk.damaged;
    for (std::size_t i = 0; i < document.values.size(); ++i) {
      bytes += document.values[i].value_or("").size();
      chunk.columns[columns.size() + i].push_back(std::move(document.values[i]));
    }
  }
  return chunk;
}

void write_chunk(postgres::Transaction& target, const MovedTable& table, const std::vector<Column>& columns,
                 const Chunk& chunk) {
  std::vector<std::string> values;
  std::vector<std::string> arrays;
  postgres::Params params;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    const auto value = fmt::format("u.{}::{}", column.name, column.type);
    values.push_back(column.fallback.empty() ? value
                                             : fmt::format("coalesce({}, {})", value, column.fallback));
    arrays.push_back(fmt::format("${}::text[]", i + 1));
    params.array(chunk.columns[i], [](const std::optional<std::string>& each) {
      return each ? std::optional<std::string_view>(*each) : std::nullopt;
    });
  }
  target.add(
      fmt::format("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS u({})", table.name, joined(columns, "{}"),
                  fmt::join(values, ", "), fmt::join(arrays, ", "), joined(columns, "{}")),
      std::move(params));
}

void continue_numbering(sqlite::Snapshot& source, postgres::Transaction& target, const MovedTable& table) {
  if (!table.numbered) return;
  auto row = source.query("SELECT seq FROM sqlite_sequence WHERE name = ?1", table.name);
  const std::int64_t given = row.next() ? row.int64(0) : 0;
  target.add(
      fmt::format("SELECT setval(pg_get_serial_sequence('{0}', '{1}'), greatest($1::bigint, max({1}), 1), "
                  "greatest($1::bigint, max({1}), 0) > 0) FROM {0}",
                  table.name, table.key),
      postgres::Params::of(given));
}

Sums source_sums(sqlite::Snapshot& source, const MovedTable& table, const std::vector<Column>& columns) {
  Sums sums;
  Adder adder(sums);
  const auto compared = comparable(columns);
  auto row = source.query(fmt::format("SELECT {}, {} FROM {}",
                                      table.system.empty() ? "''" : std::string(table.system),
                                      joined(compared, "\"{}\""), table.name));
  while (row.next()) {
    adder.begin();
    for (std::size_t i = 0; i < compared.size(); ++i) {
      const int column = static_cast<int>(i) + 1;
      adder.add(row.is_null(column), row.view(column));
    }
    adder.end(row.view(0));
  }
  return sums;
}

Sums target_sums(postgres::Connection& target, const MovedTable& table, const std::vector<Column>& columns) {
  Sums sums;
  Adder adder(sums);
  std::vector<std::string> texts;
  for (const Column& column : comparable(columns)) texts.push_back(source_text(column));
  std::optional<std::string> after;
  while (true) {
    const auto sql = fmt::format(
        "SELECT {0}, {1}, {2} FROM {3} AS t {4} ORDER BY t.{0} LIMIT {5}", table.key,
        table.system.empty() ? "''" : fmt::format("coalesce({}::text, '')", table.system),
        fmt::join(texts, ", "), table.name, after ? fmt::format("WHERE t.{} > $1", table.key) : "", kRows);
    const auto rows = target.run(sql, after ? postgres::Params::of(*after) : postgres::Params());
    for (int row = 0; row < rows.count(); ++row) {
      adder.begin();
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const int column = static_cast<int>(i) + 2;
        adder.add(rows.is_null(row, column), rows.view(row, column));
      }
      adder.end(rows.view(row, 1));
    }
    if (rows.count() < static_cast<int>(kRows)) return sums;
    after = rows.text(rows.count() - 1, 0);
  }
}

}  // namespace collect::backend
