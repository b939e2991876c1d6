// SPDX-License-Identifier: Apache-2.0
// All ports of PostgreSQL over one pool, whose database must be migrated (migrations.h).
#pragma once

#include "backend/postgres/alert_store.h"
#include "backend/postgres/comparison_store.h"
#include "backend/postgres/history_store.h"
#include "backend/postgres/intake_store.h"
#include "backend/postgres/liveness_store.h"
#include "backend/postgres/notification_store.h"
#include "backend/postgres/pool.h"
#include "backend/postgres/system_store.h"
#include "backend/stores.h"

namespace collect::postgres {

// Must not outlive the pool. All ports are safe from any thread.
class PostgresStores {
 public:
  explicit PostgresStores(Pool& pool)
      : systems_(pool),
        intake_(pool),
        comparison_(pool),
        history_(pool),
        alerts_(pool),
        notifications_(pool),
        liveness_(pool) {}
  PostgresStores(const PostgresStores&) = delete;
  PostgresStores& operator=(const PostgresStores&) = delete;

  // Valid as long as this object.
  [[nodiscard]] backend::Stores ports() {
    return {systems_, intake_, comparison_, history_, alerts_, notifications_, liveness_};
  }

 private:
  SystemStore systems_;
  IntakeStore intake_;
  ComparisonStore comparison_;
  HistoryStore history_;
  AlertStore alerts_;
  NotificationStore notifications_;
  LivenessStore liveness_;
};

}  // namespace collect::postgres
