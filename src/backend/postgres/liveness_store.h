// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/postgres/pool.h"
#include "liveness/liveness_store.h"

namespace collect::postgres {

class LivenessStore final : public liveness::LivenessStore {
 public:
  explicit LivenessStore(Pool& pool) : pool_(pool) {}
  Result<void> write(std::span<const liveness::Heartbeat> heartbeats) override;
  Result<liveness::Transitions> apply(Time fresh_since, std::optional<Time> stale_before) override;
  Result<std::optional<Time>> last_run() override;
  Result<void> note_run(Time now) override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
