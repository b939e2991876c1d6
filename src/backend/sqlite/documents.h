// SPDX-License-Identifier: Apache-2.0
// How records and their documents are stored: the one place that writes or reads a document. It lies in
// inventory_documents as the text that came in; inventory_records here has no column `data`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backend/sqlite/database.h"
#include "base/clock.h"
#include "base/ids.h"

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

// Both throw Fault, as all of Snapshot and Transaction does.
RecordId insert_record(Transaction& transaction, const RecordRow& row);
// nullopt: no such record.
std::optional<std::string> read_document(Snapshot& snapshot, RecordId record_id);

}  // namespace collect::sqlite
