// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "inventory/comparison_store.h"

namespace collect::postgres {

// Three round trips for all the systems of a call; their documents are in memory together meanwhile.
class ComparisonStore final : public inventory::ComparisonStore {
 public:
  explicit ComparisonStore(Pool& pool) : pool_(pool) {}
  Result<std::vector<inventory::Compared>> compare(const inventory::ComparisonQuestion& question,
                                                   const inventory::DecideComparison& decide) override;
  Result<std::vector<inventory::UnfinishedRecord>> unfinished(Time before, std::size_t limit) override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
