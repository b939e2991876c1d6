// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alertmanager/alert_history_store.h"
#include "backend/postgres/pool.h"

namespace collect::postgres {

class AlertHistoryStore final : public alertmanager::AlertHistoryStore {
 public:
  explicit AlertHistoryStore(Pool& pool) : pool_(pool) {}
  Result<void> write(std::span<const alertmanager::HistoryEntry> entries, Time now) override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
