// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/unsent_store.h"
#include "backend/sqlite/database.h"

namespace collect::sqlite {

class UnsentStore final : public alerts::UnsentStore {
 public:
  explicit UnsentStore(Database& database) : database_(database) {}

  Result<std::vector<alerts::UnsentDiff>> unsent(std::span<const RecordId> records) override;
  Result<void> mark_sent(std::span<const DiffId> diffs) override;
  Result<std::vector<alerts::UnsentRecord>> unfinished(Time before, std::size_t limit) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
