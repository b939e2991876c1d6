// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/history_store.h"

#include <fmt/format.h>

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

// Only the conditions that are asked for: a plan for all of them at once would fit none.
struct Conditions {
  std::string sql;
  Params params;
  int count = 0;

  template <class T>
  void add(std::string_view condition, const std::optional<T>& value) {
    if (!value) return;
    params.add(*value);
    sql += fmt::format(" AND {} ${}", condition, ++count);
  }
};

}  // namespace

Result<std::optional<Record>> HistoryStore::latest(const SystemId& system_id) {
  auto newest = records(system_id, std::nullopt, 1);
  if (!newest) return newest.failure();
  return newest->empty() ? std::nullopt : std::optional(std::move(newest->front()));
}

Result<std::optional<std::string>> HistoryStore::document(RecordId record_id) {
  return pool_.read([&](Connection& connection, const Schema&) -> std::optional<std::string> {
    const auto rows =
        connection.run("SELECT data FROM inventory_records WHERE id = $1", Params::of(record_id));
    return rows.empty() ? std::nullopt : rows.maybe_text(0, 0);
  });
}

Result<std::string> HistoryStore::held(RecordId record_id) {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows =
        connection.run("SELECT held FROM inventory_records WHERE id = $1", Params::of(record_id));
    return rows.empty() ? std::string() : rows.text(0, 0);
  });
}

Result<std::vector<Record>> HistoryStore::records(const SystemId& system_id, std::optional<RecordId> before,
                                                  std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    std::vector<Record> records;
    if (!schema.can_hold("inventory_records.system_id", system_id.text())) return records;
    auto params = Params::of(system_id, limit);
    if (before) params.add(*before);
    const auto rows = connection.run(
        fmt::format("SELECT {} FROM inventory_records WHERE system_id = $1{} ORDER BY timestamp DESC, id "
                    "DESC LIMIT $2",
                    kRecordColumns,
                    before
                        ? " AND (timestamp, id) < (SELECT timestamp, id FROM inventory_records WHERE id = $3)"
                        : ""),
        std::move(params));
    for (int row = 0; row < rows.count(); ++row) records.push_back(record_at(rows, row));
    return records;
  });
}

Result<std::vector<Diff>> HistoryStore::diffs(const SystemId& system_id, const DiffFilter& filter,
                                              std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    std::vector<Diff> diffs;
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return diffs;
    Conditions conditions{"", Params::of(system_id, limit), 2};
    conditions.add("id <", filter.before);
    conditions.add("severity =", filter.severity);
    conditions.add("category =", filter.category);
    conditions.add("diff_type =", filter.diff_type);
    conditions.add("current_id =", filter.current_id);
    conditions.add("created_at >=", filter.from);
    conditions.add("created_at <", filter.to);
    const auto rows = connection.run(
        fmt::format(
            "SELECT id, system_id, previous_id, current_id, diff_type, category, severity, field_path, "
            "previous_value, current_value, notification_sent, created_at FROM inventory_diffs "
            "WHERE system_id = $1{} ORDER BY id DESC LIMIT $2",
            conditions.sql),
        std::move(conditions.params));
    for (int row = 0; row < rows.count(); ++row) diffs.push_back(diff_at(rows, row));
    return diffs;
  });
}

}  // namespace collect::postgres
