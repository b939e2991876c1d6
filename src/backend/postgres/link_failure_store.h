// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "liveness/link_failure_store.h"

namespace collect::postgres {

class LinkFailureStore final : public liveness::LinkFailureStore {
 public:
  explicit LinkFailureStore(Pool& pool) : pool_(pool) {}
  Result<liveness::Reviewed> review(const SystemId& after, std::size_t limit, Time now,
                                    const liveness::DecidePlan& decide) override;
  Result<std::size_t> tell(std::span<const liveness::Untold> outages, std::span<const std::string> channels,
                           Time now) override;
  Result<void> forget(std::span<const alerts::AlertId> outages) override;
  Result<liveness::FleetCount> count() override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
