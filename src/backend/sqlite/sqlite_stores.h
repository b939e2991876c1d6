// SPDX-License-Identifier: Apache-2.0
// All ports of the embedded engine over one database, whose tables must be there (migrations.h).
#pragma once

#include "backend/sqlite/alert_store.h"
#include "backend/sqlite/comparison_store.h"
#include "backend/sqlite/history_store.h"
#include "backend/sqlite/intake_store.h"
#include "backend/sqlite/liveness_store.h"
#include "backend/sqlite/notification_store.h"
#include "backend/sqlite/system_store.h"
#include "backend/stores.h"

namespace collect::sqlite {

// Must not outlive the database. All ports are safe from any thread.
class SqliteStores {
 public:
  explicit SqliteStores(Database& database)
      : systems_(database),
        intake_(database),
        comparison_(database),
        history_(database),
        alerts_(database),
        notifications_(database),
        liveness_(database) {}
  SqliteStores(const SqliteStores&) = delete;
  SqliteStores& operator=(const SqliteStores&) = delete;

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

}  // namespace collect::sqlite
