// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "inventory/comparison_store.h"

namespace collect::sqlite {

class ComparisonStore final : public inventory::ComparisonStore {
 public:
  explicit ComparisonStore(Database& database) : database_(database) {}

  Result<std::vector<inventory::Compared>> compare(const inventory::ComparisonQuestion& question,
                                                   const inventory::DecideComparison& decide) override;
  Result<std::vector<inventory::UnfinishedRecord>> unfinished(Time before, std::size_t limit) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
