// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "inventory/packing.h"
#include "inventory/record_store.h"

namespace collect::postgres {

class RecordStore final : public inventory::RecordStore {
 public:
  RecordStore(Pool& pool, inventory::DocumentForm form) : pool_(pool), form_(form) {}
  Result<std::uint64_t> remove(const SystemId& system_id, std::span<const RecordId> records) override;
  Result<inventory::Conversion> convert(const inventory::Conversion& so_far, std::size_t limit) override;

 private:
  Pool& pool_;
  const inventory::DocumentForm form_;
};

}  // namespace collect::postgres
