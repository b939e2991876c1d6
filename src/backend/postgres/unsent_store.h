// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/unsent_store.h"
#include "backend/postgres/pool.h"

namespace collect::postgres {

class UnsentStore final : public alerts::UnsentStore {
 public:
  explicit UnsentStore(Pool& pool) : pool_(pool) {}
  Result<std::vector<alerts::UnsentDiff>> unsent(std::span<const RecordId> records) override;
  Result<void> mark_sent(std::span<const DiffId> diffs) override;
  Result<std::vector<alerts::UnsentRecord>> unfinished(Time before, std::size_t limit) override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
