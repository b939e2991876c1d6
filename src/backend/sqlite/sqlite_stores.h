// SPDX-License-Identifier: Apache-2.0
// All ports of the embedded engine over one database, whose tables must be there (migrations.h).
#pragma once

#include "backend/sqlite/alert_history_store.h"
#include "backend/sqlite/alert_store.h"
#include "backend/sqlite/backup_ledger.h"
#include "backend/sqlite/comparison_store.h"
#include "backend/sqlite/history_store.h"
#include "backend/sqlite/intake_store.h"
#include "backend/sqlite/link_failure_store.h"
#include "backend/sqlite/liveness_store.h"
#include "backend/sqlite/notification_store.h"
#include "backend/sqlite/record_store.h"
#include "backend/sqlite/retention_store.h"
#include "backend/sqlite/system_store.h"
#include "backend/sqlite/tally_store.h"
#include "backend/sqlite/term_store.h"
#include "backend/stores.h"

namespace collect::sqlite {

// Must not outlive the database. All ports are safe from any thread. `form`: how new documents are written.
class SqliteStores {
 public:
  explicit SqliteStores(Database& database, inventory::DocumentForm form = inventory::DocumentForm::packed)
      : systems_(database),
        intake_(database, form),
        comparison_(database),
        history_(database),
        tallies_(database),
        records_(database, form),
        alerts_(database),
        notifications_(database),
        liveness_(database),
        link_failures_(database),
        backups_(database),
        retention_(database),
        alert_history_(database),
        terms_(database) {}
  SqliteStores(const SqliteStores&) = delete;
  SqliteStores& operator=(const SqliteStores&) = delete;

  // Valid as long as this object.
  [[nodiscard]] backend::Stores ports() {
    return {systems_,       intake_,   comparison_,    history_, tallies_,   records_,       alerts_,
            notifications_, liveness_, link_failures_, backups_, retention_, alert_history_, terms_};
  }

 private:
  SystemStore systems_;
  IntakeStore intake_;
  ComparisonStore comparison_;
  HistoryStore history_;
  TallyStore tallies_;
  RecordStore records_;
  AlertStore alerts_;
  NotificationStore notifications_;
  LivenessStore liveness_;
  LinkFailureStore link_failures_;
  BackupLedger backups_;
  RetentionStore retention_;
  AlertHistoryStore alert_history_;
  TermStore terms_;
};

}  // namespace collect::sqlite
