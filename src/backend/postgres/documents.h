// SPDX-License-Identifier: Apache-2.0
// The documents of records, plain in `data` or packed (inventory/packing.h). All throw Fault.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backend/postgres/pool.h"
#include "base/result.h"
#include "inventory/packing.h"

namespace collect::postgres {

// One of them as it is stored; neither: there is none.
struct StoredDocument {
  std::optional<std::string> plain;
  std::optional<inventory::PackedRow> packed;
};

// The statement that reads them, and those that they are packed on; read_stored() takes its answer.
Statement select_documents(const std::set<RecordId>& records);
std::map<RecordId, StoredDocument> read_stored(const Rows& rows);

// The document of one of them; nullopt: there is no such record, or it has none. A failure names the one that
// is damaged.
Result<std::optional<std::string>> document_of(const std::map<RecordId, StoredDocument>& stored,
                                               RecordId record_id);

// Packs documents that stand on `base_id` anew, but for those of `leaving`, so that it can go.
void detach(Transaction& transaction, const SystemId& system_id, RecordId base_id,
            const std::set<RecordId>& leaving);

// Writes these rows' frames in place of those, or of the plain documents, that their records have.
void write_packed(Transaction& transaction, const std::vector<inventory::PackedRow>& rows);

}  // namespace collect::postgres
