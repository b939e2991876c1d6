// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/alert_store.h"
#include "backend/sqlite/database.h"

namespace collect::sqlite {

class AlertStore final : public alerts::AlertStore {
 public:
  explicit AlertStore(Database& database) : database_(database) {}

  Result<std::vector<alerts::UnsentDiff>> unsent(std::span<const RecordId> records) override;
  Result<void> mark_sent(std::span<const DiffId> diffs) override;
  Result<std::vector<alerts::UnsentRecord>> unfinished(Time before, std::size_t limit) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
