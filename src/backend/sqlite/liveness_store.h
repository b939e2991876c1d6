// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "liveness/liveness_store.h"

namespace collect::sqlite {

class LivenessStore final : public liveness::LivenessStore {
 public:
  explicit LivenessStore(Database& database) : database_(database) {}

  Result<void> write(std::span<const liveness::Heartbeat> heartbeats) override;
  Result<liveness::Transitions> apply(Time fresh_since, std::optional<Time> stale_before) override;
  Result<std::optional<Time>> last_run() override;
  Result<void> note_run(Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
