// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/documents.h"

#include <algorithm>

namespace collect::sqlite {
namespace {

using inventory::PackedRow;

// The columns of packed(), of `inventory_records r` and `packed_documents p`.
constexpr std::string_view kByRecord =
    "SELECT p.record_id, p.base_id, p.position, p.frame, coalesce(p.document_hash, r.data_hash)"
    " FROM packed_documents p JOIN inventory_records r ON r.id = p.record_id WHERE p.record_id = ?";
constexpr std::string_view kByBase =
    "SELECT p.record_id, p.base_id, p.position, p.frame, coalesce(p.document_hash, r.data_hash)"
    " FROM inventory_records r JOIN packed_documents p ON p.record_id = r.id"
    " WHERE r.system_id = ? AND p.base_id = ? ORDER BY p.record_id";

PackedRow packed(const Cursor& row) {
  PackedRow out;
  out.record_id = RecordId{row.int64(0)};
  if (!row.is_null(1)) out.base_id = RecordId{row.int64(1)};
  out.position = static_cast<int>(row.int64(2));
  out.bytes = row.text(3);
  out.hash = row.text(4);
  return out;
}

}  // namespace

RecordId insert_record(Transaction& transaction, const RecordRow& row, const PackedRow* packed) {
  transaction.run(
      "INSERT INTO inventory_records(system_id, timestamp, data_hash, data_size, processed_at, created_at,"
      "  updated_at, sender_timestamp, derived_hash)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, nullif(?8, ''))",
      row.system_id, row.timestamp, row.hash, row.document.size(), row.processed_at, row.now, row.sender_time,
      row.derived_hash);
  const RecordId id{transaction.last_insert_id()};
  packed == nullptr ? insert_plain(transaction, id, row.document)
                    : insert_packed(transaction, id, *packed, row.hash);
  return id;
}

void insert_plain(Transaction& transaction, RecordId record_id, std::string_view document) {
  transaction.run("INSERT INTO inventory_documents(record_id, data) VALUES (?, ?)", record_id, document);
}

void insert_packed(Transaction& transaction, RecordId record_id, const PackedRow& row,
                   std::string_view data_hash) {
  const auto other_hash = row.hash == data_hash ? std::nullopt : std::optional(std::string_view(row.hash));
  transaction.run(
      "INSERT INTO packed_documents(record_id, base_id, position, frame, document_hash)"
      " VALUES (?, ?, ?, ?, ?)",
      record_id, row.base_id, row.position, Blob{row.bytes}, other_hash);
}

std::optional<PackedRow> read_packed(Snapshot& snapshot, RecordId record_id) {
  auto row = snapshot.query(kByRecord, record_id);
  return row.next() ? std::optional(packed(row)) : std::nullopt;
}

std::optional<std::string> read_base(Snapshot& snapshot, RecordId record_id) {
  const auto row = read_packed(snapshot, record_id);
  if (!row || row->base_id) return std::nullopt;
  auto document = inventory::unpack_base(*row);
  return document ? std::optional(*std::move(document)) : std::nullopt;
}

Result<std::optional<std::string>> read_document(Snapshot& snapshot, RecordId record_id) {
  if (const auto row = read_packed(snapshot, record_id)) {
    const auto base = row->base_id ? read_packed(snapshot, *row->base_id) : std::nullopt;
    auto document = inventory::unpack(*row, base ? &*base : nullptr);
    if (!document) return document.failure();
    return std::optional(*std::move(document));
  }
  auto row = snapshot.query("SELECT data FROM inventory_documents WHERE record_id = ?", record_id);
  return row.next() ? std::optional(row.text(0)) : std::nullopt;
}

void detach(Transaction& transaction, const SystemId& system_id, RecordId base_id,
            const std::vector<RecordId>& leaving) {
  const auto base = read_packed(transaction, base_id);
  if (!base || base->base_id) return;
  std::vector<PackedRow> dependents;
  {
    auto row = transaction.query(kByBase, system_id, base_id);
    while (row.next()) {
      if (!std::ranges::binary_search(leaving, RecordId{row.int64(0)})) dependents.push_back(packed(row));
    }
  }
  for (const PackedRow& again : inventory::rebase(*base, dependents)) {
    transaction.run(
        "UPDATE packed_documents SET base_id = ?2, position = ?3, frame = ?4 WHERE record_id = ?1",
        again.record_id, again.base_id, again.position, Blob{again.bytes});
  }
}

}  // namespace collect::sqlite
