// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "inventory/tally_store.h"

namespace collect::postgres {

class TallyStore final : public inventory::TallyStore {
 public:
  explicit TallyStore(Pool& pool) : pool_(pool) {}
  Result<Count> count_records(const SystemId& system_id) override;
  Result<Count> count_diffs(const SystemId& system_id, const inventory::DiffFilter& filter) override;
  Result<std::vector<inventory::Day>> days(const SystemId& system_id, const inventory::TimeRange& range,
                                           const inventory::DayStart& start, std::size_t limit) override;
  Result<Count> count_days(const SystemId& system_id, const inventory::TimeRange& range) override;
  Result<inventory::Tally> tally(const SystemId& system_id, const inventory::TimeRange& range) override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
