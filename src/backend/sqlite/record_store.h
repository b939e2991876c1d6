// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "inventory/packing.h"
#include "inventory/record_store.h"

namespace collect::sqlite {

class RecordStore final : public inventory::RecordStore {
 public:
  RecordStore(Database& database, inventory::DocumentForm form) : database_(database), form_(form) {}

  Result<std::uint64_t> remove(const SystemId& system_id, std::span<const RecordId> records) override;
  Result<inventory::Conversion> convert(const inventory::Conversion& so_far, std::size_t limit) override;

 private:
  Database& database_;
  const inventory::DocumentForm form_;
};

}  // namespace collect::sqlite
