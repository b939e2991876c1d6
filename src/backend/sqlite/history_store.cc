// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/history_store.h"

#include "backend/sqlite/documents.h"

namespace collect::sqlite {
namespace {

const std::string kRecords =
    "SELECT id, system_id, timestamp, sender_timestamp, data_hash, data_size, processed_at, has_changes,"
    "   change_count, created_at, updated_at FROM inventory_records WHERE system_id = ?1";
const std::string kNewestFirst = " ORDER BY timestamp DESC, id DESC LIMIT ?2";

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

}  // namespace

Result<std::optional<Record>> HistoryStore::latest(const SystemId& system_id) {
  return database_.read([&](Snapshot& snapshot) {
    static const std::string sql = kRecords + kNewestFirst;
    auto row = snapshot.query(sql, system_id, 1);
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

Result<std::vector<Record>> HistoryStore::records(const SystemId& system_id, std::optional<RecordId> before,
                                                  std::size_t limit) {
  static const std::string first_page = kRecords + kNewestFirst;
  static const std::string next_page = kRecords + " AND (timestamp, id) < (?3, ?4)" + kNewestFirst;
  static const std::string page_after_a_gone_record = kRecords + " AND id < ?3" + kNewestFirst;
  return database_.read([&](Snapshot& snapshot) {
    const auto start = before ? timestamp_of(snapshot, *before) : std::nullopt;
    auto row = start    ? snapshot.query(next_page, system_id, limit, *start, *before)
               : before ? snapshot.query(page_after_a_gone_record, system_id, limit, *before)
                        : snapshot.query(first_page, system_id, limit);
    std::vector<Record> records;
    while (row.next()) records.push_back(record_of(row));
    return records;
  });
}

Result<std::vector<Diff>> HistoryStore::diffs(const SystemId& system_id, const inventory::DiffFilter& filter,
                                              std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<Diff> diffs;
    // `id <` stands alone so that a page far down starts there in the index.
    auto row = snapshot.query(
        "SELECT id, system_id, previous_id, current_id, diff_type, category, severity, field_path,"
        "   previous_value, current_value, notification_sent, created_at"
        " FROM inventory_diffs WHERE system_id = ?1 AND id < coalesce(?2, 9223372036854775807)"
        "   AND (?3 IS NULL OR severity = ?3) AND (?4 IS NULL OR category = ?4)"
        "   AND (?5 IS NULL OR diff_type = ?5) AND (?6 IS NULL OR current_id = ?6)"
        "   AND (?7 IS NULL OR created_at >= ?7) AND (?8 IS NULL OR created_at < ?8)"
        " ORDER BY id DESC LIMIT ?9",
        system_id, filter.before, filter.severity, filter.category, filter.diff_type, filter.current_id,
        filter.from, filter.to, limit);
    while (row.next()) diffs.push_back(diff_of(row));
    return diffs;
  });
}

}  // namespace collect::sqlite
