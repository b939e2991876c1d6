// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/documents.h"

namespace collect::sqlite {

RecordId insert_record(Transaction& transaction, const RecordRow& row) {
  transaction.run(
      "INSERT INTO inventory_records(system_id, timestamp, data_hash, data_size, processed_at, created_at,"
      "  updated_at, sender_timestamp, derived_hash)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, nullif(?8, ''))",
      row.system_id, row.timestamp, row.hash, row.document.size(), row.processed_at, row.now, row.sender_time,
      row.derived_hash);
  const RecordId id{transaction.last_insert_id()};
  transaction.run("INSERT INTO inventory_documents(record_id, data) VALUES (?, ?)", id, row.document);
  return id;
}

std::optional<std::string> read_document(Snapshot& snapshot, RecordId record_id) {
  auto row = snapshot.query("SELECT data FROM inventory_documents WHERE record_id = ?", record_id);
  if (!row.next()) return std::nullopt;
  return row.text(0);
}

}  // namespace collect::sqlite
