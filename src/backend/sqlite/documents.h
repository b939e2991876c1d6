// SPDX-License-Identifier: Apache-2.0
// How records and their documents are stored: the one place that writes or reads a document.
// inventory_records here has no column `data`: a document lies plain in inventory_documents, as the text that
// came in, or packed in packed_documents (inventory/packing.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/sqlite/database.h"
#include "base/clock.h"
#include "base/ids.h"
#include "inventory/packing.h"

namespace collect::sqlite {

struct RecordRow {
  const SystemId& system_id;
  Time timestamp;
  std::optional<Time> sender_time;
  std::string_view document;
  std::string_view hash;
  std::string_view derived_hash;  // empty: null
  std::optional<Time> processed_at;
  Time now;
};

// All throw Fault, as all of Snapshot and Transaction does.

// `packed`: the document in that form; nullptr: it is written plain.
RecordId insert_record(Transaction& transaction, const RecordRow& row, const inventory::PackedRow* packed);
void insert_plain(Transaction& transaction, RecordId record_id, std::string_view document);
// `data_hash` is that of the record.
void insert_packed(Transaction& transaction, RecordId record_id, const inventory::PackedRow& row,
                   std::string_view data_hash);

// nullopt: no such record. A failure names the record that is damaged.
Result<std::optional<std::string>> read_document(Snapshot& snapshot, RecordId record_id);
// nullopt: no such record, or its document is plain.
std::optional<inventory::PackedRow> read_packed(Snapshot& snapshot, RecordId record_id);
// As the documents of bases; nullopt: damaged, or it is no base.
std::optional<std::string> read_base(Snapshot& snapshot, RecordId record_id);

// Packs documents that stand on `base_id` anew, but for those of `leaving`, so that it can go. `leaving` is
// sorted.
void detach(Transaction& transaction, const SystemId& system_id, RecordId base_id,
            const std::vector<RecordId>& leaving);

}  // namespace collect::sqlite
