// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alertmanager/alert_history_store.h"
#include "backend/sqlite/database.h"

namespace collect::sqlite {

class AlertHistoryStore final : public alertmanager::AlertHistoryStore {
 public:
  explicit AlertHistoryStore(Database& database) : database_(database) {}
  Result<void> write(std::span<const alertmanager::HistoryEntry> entries, Time now) override;

 private:
  Database& database_;
};

}  // namespace collect::sqlite
