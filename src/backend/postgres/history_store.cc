// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/history_store.h"

#include <fmt/format.h>

#include "backend/postgres/diff_selection.h"
#include "backend/postgres/documents.h"

namespace collect::postgres {
namespace {

using inventory::Diff;
using inventory::DiffFilter;
using inventory::Record;

constexpr std::string_view kRecordColumns =
    "id, system_id, timestamp, sender_timestamp, data_hash, data_size, processed_at, has_changes, "
    "change_count, "
    "created_at, updated_at";

Record record_at(const Rows& rows, int row) {
  Record record;
  record.id = RecordId{rows.int64(row, 0)};
  record.system_id = SystemId(rows.text(row, 1));
  record.timestamp = rows.time(row, 2);
  record.sender_time = rows.maybe_time(row, 3);
  record.hash = rows.text(row, 4);
  record.size_bytes = rows.int64(row, 5);
  record.processed_at = rows.maybe_time(row, 6);
  record.has_changes = rows.flag(row, 7);
  record.change_count = static_cast<int>(rows.int64(row, 8));
  record.created_at = rows.time(row, 9);
  record.updated_at = rows.time(row, 10);
  return record;
}

std::optional<RecordId> maybe_record_id(const Rows& rows, int row, int column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return RecordId{rows.int64(row, column)};
}

Diff diff_at(const Rows& rows, int row) {
  Diff diff;
  diff.id = DiffId{rows.int64(row, 0)};
  diff.system_id = SystemId(rows.text(row, 1));
  diff.previous_id = maybe_record_id(rows, row, 2);
  diff.current_id = maybe_record_id(rows, row, 3);
  diff.diff_type = rows.text(row, 4);
  diff.category = rows.text(row, 5);
  diff.severity = rows.text(row, 6);
  diff.field_path = rows.text(row, 7);
  diff.previous_value = rows.maybe_text(row, 8);
  diff.current_value = rows.maybe_text(row, 9);
  diff.notification_sent = rows.flag(row, 10);
  diff.created_at = rows.time(row, 11);
  return diff;
}

std::vector<Record> records_of(const Rows& rows) {
  std::vector<Record> records;
  for (int row = 0; row < rows.count(); ++row) records.push_back(record_at(rows, row));
  return records;
}

std::optional<Time> time_of(Connection& connection, std::string_view sql, std::int64_t id) {
  const auto rows = connection.run(std::string(sql), Params::of(id));
  return rows.empty() ? std::nullopt : std::optional(rows.time(0, 0));
}

}  // namespace

Result<std::optional<Record>> HistoryStore::latest(const SystemId& system_id) {
  auto newest = records(system_id, {}, 1);
  if (!newest) return newest.failure();
  return newest->empty() ? std::nullopt : std::optional(std::move(newest->front()));
}

Result<std::optional<Record>> HistoryStore::record(const SystemId& system_id, RecordId record_id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::optional<Record> {
    if (!schema.can_hold("inventory_records.system_id", system_id.text())) return std::nullopt;
    const auto rows = connection.run(
        fmt::format("SELECT {} FROM inventory_records WHERE id = $1 AND system_id = $2", kRecordColumns),
        Params::of(record_id, system_id));
    return rows.empty() ? std::nullopt : std::optional(record_at(rows, 0));
  });
}

Result<std::optional<std::string>> HistoryStore::document(RecordId record_id) {
  return pool_.read([&](Connection& connection, const Schema&) {
    auto statement = select_documents({record_id});
    const auto rows = connection.run(std::move(statement.sql), std::move(statement.params));
    return document_of(read_stored(rows), record_id);
  });
}

Result<std::string> HistoryStore::held(RecordId record_id) {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows =
        connection.run("SELECT held FROM inventory_records WHERE id = $1", Params::of(record_id));
    return rows.empty() ? std::string() : rows.text(0, 0);
  });
}

Result<std::vector<Record>> HistoryStore::records(const SystemId& system_id,
                                                  const inventory::RecordFilter& filter, std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::vector<Record> {
    if (!schema.can_hold("inventory_records.system_id", system_id.text())) return {};
    auto params = Params::of(system_id, limit, filter.skip);
    std::string behind;
    if (filter.before) {
      const auto at = time_of(connection, "SELECT timestamp FROM inventory_records WHERE id = $1",
                              static_cast<std::int64_t>(*filter.before));
      behind = at ? "AND (timestamp, id) < ($5, $4)" : "AND id < $4";
      params.add(*filter.before);
      if (at) params.add(*at);
    }
    return records_of(connection.run(fmt::format("SELECT {} FROM inventory_records WHERE system_id = $1 {} "
                                                 "ORDER BY timestamp DESC, id DESC LIMIT $2 OFFSET $3",
                                                 kRecordColumns, behind),
                                     std::move(params)));
  });
}

Result<std::vector<Diff>> HistoryStore::diffs(const SystemId& system_id, const DiffFilter& filter,
                                              std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> Result<std::vector<Diff>> {
    std::vector<Diff> diffs;
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return diffs;
    std::optional<Time> before_at;
    if (filter.before) {
      const auto before = static_cast<std::int64_t>(*filter.before);
      before_at = time_of(connection, "SELECT created_at FROM inventory_diffs WHERE id = $1", before);
      if (!before_at) return invalid(fmt::format("there is no diff {} to go on from", before));
    }
    auto selected = select_diffs(system_id, filter, inventory::end_of(filter, before_at));
    selected.params.add(limit).add(filter.skip);
    // Found in the index alone; only those of the page are read whole.
    const auto rows = connection.run(
        fmt::format("SELECT d.id, d.system_id, d.previous_id, d.current_id, d.diff_type, d.category, "
                    "d.severity, d.field_path, d.previous_value, d.current_value, d.notification_sent, "
                    "d.created_at FROM (SELECT id {} ORDER BY created_at DESC, id DESC LIMIT ${} OFFSET ${}) "
                    "AS page JOIN inventory_diffs d ON d.id = page.id ORDER BY d.created_at DESC, d.id DESC",
                    selected.sql, selected.count + 1, selected.count + 2),
        std::move(selected.params));
    for (int row = 0; row < rows.count(); ++row) diffs.push_back(diff_at(rows, row));
    return diffs;
  });
}

}  // namespace collect::postgres
