// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/history_store.h"

#include <fmt/format.h>

#include "backend/sqlite/diff_selection.h"
#include "backend/sqlite/documents.h"

namespace collect::sqlite {
namespace {

const std::string kRecords =
    "SELECT id, system_id, timestamp, sender_timestamp, data_hash, data_size, processed_at, has_changes,"
    "   change_count, created_at, updated_at FROM inventory_records WHERE system_id = ?1";
const std::string kNewestFirst = " ORDER BY timestamp DESC, id DESC LIMIT ?2 OFFSET ?3";

using inventory::Diff;
using inventory::Record;

Record record_of(const Cursor& row) {
  Record record;
  record.id = RecordId{row.int64(0)};
  record.system_id = SystemId(row.text(1));
  record.timestamp = row.time(2);
  record.sender_time = row.maybe_time(3);
  record.hash = row.text(4);
  record.size_bytes = row.int64(5);
  record.processed_at = row.maybe_time(6);
  record.has_changes = row.flag(7);
  record.change_count = static_cast<int>(row.int64(8));
  record.created_at = row.time(9);
  record.updated_at = row.time(10);
  return record;
}

std::optional<RecordId> record_id_of(const Cursor& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return RecordId{row.int64(column)};
}

Diff diff_of(const Cursor& row) {
  Diff diff;
  diff.id = DiffId{row.int64(0)};
  diff.system_id = SystemId(row.text(1));
  diff.previous_id = record_id_of(row, 2);
  diff.current_id = record_id_of(row, 3);
  diff.diff_type = row.text(4);
  diff.category = row.text(5);
  diff.severity = row.text(6);
  diff.field_path = row.text(7);
  diff.previous_value = row.maybe_text(8);
  diff.current_value = row.maybe_text(9);
  diff.notification_sent = row.flag(10);
  diff.created_at = row.time(11);
  return diff;
}

std::optional<Time> timestamp_of(Snapshot& snapshot, RecordId record_id) {
  auto row = snapshot.query("SELECT timestamp FROM inventory_records WHERE id = ?", record_id);
  return row.next() ? std::optional(row.time(0)) : std::nullopt;
}

std::optional<Time> created_at_of(Snapshot& snapshot, DiffId diff_id) {
  auto row = snapshot.query("SELECT created_at FROM inventory_diffs WHERE id = ?", diff_id);
  return row.next() ? std::optional(row.time(0)) : std::nullopt;
}

}  // namespace

Result<std::optional<Record>> HistoryStore::latest(const SystemId& system_id) {
  return database_.read([&](Snapshot& snapshot) {
    static const std::string sql = kRecords + kNewestFirst;
    auto row = snapshot.query(sql, system_id, 1, 0);
    return row.next() ? std::optional(record_of(row)) : std::nullopt;
  });
}

Result<std::optional<Record>> HistoryStore::record(const SystemId& system_id, RecordId record_id) {
  static const std::string sql = kRecords + " AND id = ?2";
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query(sql, system_id, record_id);
    return row.next() ? std::optional(record_of(row)) : std::nullopt;
  });
}

Result<std::optional<std::string>> HistoryStore::document(RecordId record_id) {
  return database_.read([&](Snapshot& snapshot) { return read_document(snapshot, record_id); });
}

Result<std::string> HistoryStore::held(RecordId record_id) {
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query("SELECT held FROM inventory_records WHERE id = ?", record_id);
    return row.next() ? row.text(0) : std::string();
  });
}

Result<std::vector<Record>> HistoryStore::records(const SystemId& system_id,
                                                  const inventory::RecordFilter& filter, std::size_t limit) {
  static const std::string first_page = kRecords + kNewestFirst;
  static const std::string next_page = kRecords + " AND (timestamp, id) < (?4, ?5)" + kNewestFirst;
  static const std::string page_after_a_gone_record = kRecords + " AND id < ?4" + kNewestFirst;
  return database_.read([&](Snapshot& snapshot) {
    const auto& before = filter.before;
    const auto start = before ? timestamp_of(snapshot, *before) : std::nullopt;
    auto row = start    ? snapshot.query(next_page, system_id, limit, filter.skip, *start, *before)
               : before ? snapshot.query(page_after_a_gone_record, system_id, limit, filter.skip, *before)
                        : snapshot.query(first_page, system_id, limit, filter.skip);
    std::vector<Record> records;
    while (row.next()) records.push_back(record_of(row));
    return records;
  });
}

Result<std::vector<Diff>> HistoryStore::diffs(const SystemId& system_id, const inventory::DiffFilter& filter,
                                              std::size_t limit) {
  // Found in the index alone; only those of the page are read whole.
  static const auto page_of = [](const std::string& selected) {
    return "SELECT d.id, d.system_id, d.previous_id, d.current_id, d.diff_type, d.category, d.severity,"
           "   d.field_path, d.previous_value, d.current_value, d.notification_sent, d.created_at"
           " FROM (SELECT id" +
           selected +
           "   ORDER BY created_at DESC, id DESC LIMIT ?9 OFFSET ?10) AS page"
           " CROSS JOIN inventory_diffs d ON d.id = page.id ORDER BY d.created_at DESC, d.id DESC";
  };
  static const std::string of_system = page_of(kDiffsOfSystem + kChosenDiffs);
  static const std::string of_record = page_of(kDiffsOfRecord + kChosenDiffs);
  return database_.read([&](Snapshot& snapshot) -> Result<std::vector<Diff>> {
    const auto before_at = filter.before ? created_at_of(snapshot, *filter.before) : std::nullopt;
    if (filter.before && !before_at) {
      return invalid(
          fmt::format("there is no diff {} to go on from", static_cast<std::int64_t>(*filter.before)));
    }
    const auto end = inventory::end_of(filter, before_at);
    const auto from = filter.from.value_or(inventory::kFirstTime);
    auto row = filter.current_id
                   ? snapshot.query(of_record, system_id, from, end.created_at, end.id, filter.severity,
                                    filter.category, filter.diff_type, filter.search, limit, filter.skip,
                                    *filter.current_id)
                   : snapshot.query(of_system, system_id, from, end.created_at, end.id, filter.severity,
                                    filter.category, filter.diff_type, filter.search, limit, filter.skip);
    std::vector<Diff> diffs;
    while (row.next()) diffs.push_back(diff_of(row));
    return diffs;
  });
}

}  // namespace collect::sqlite
