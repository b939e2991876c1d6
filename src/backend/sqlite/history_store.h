// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "inventory/history_store.h"

namespace collect::sqlite {

class HistoryStore final : public inventory::HistoryStore {
 public:
  explicit HistoryStore(Database& database) : database_(database) {}

  Result<std::optional<inventory::Record>> latest(const SystemId& system_id) override;
  Result<std::optional<inventory::Record>> record(const SystemId& system_id, RecordId record_id) override;
  Result<std::optional<std::string>> document(RecordId record_id) override;
  Result<std::string> held(RecordId record_id) override;
  Result<std::vector<inventory::Record>> records(const SystemId& system_id,
                                                 const inventory::RecordFilter& filter,
                                                 std::size_t limit) override;
  Result<std::vector<inventory::Diff>> diffs(const SystemId& system_id, const inventory::DiffFilter& filter,
                                             std::size_t limit) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
