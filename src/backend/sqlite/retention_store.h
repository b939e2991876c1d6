// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/sqlite/database.h"
#include "retention/retention_store.h"

namespace collect::sqlite {

class RetentionStore final : public retention::RetentionStore {
 public:
  explicit RetentionStore(Database& database) : database_(database) {}
  Result<std::vector<SystemId>> systems(const std::optional<SystemId>& after, std::size_t limit) override;
  Result<std::vector<retention::StoredRecord>> records(const SystemId& system_id) override;
  Result<retention::Forgotten> forgettable(const retention::Horizons& horizons) override;
  Result<retention::Forgotten> forget(const retention::Horizons& horizons, std::size_t limit) override;
  Result<std::optional<retention::Noted>> progress() override;
  Result<void> note_progress(std::string_view progress, Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
