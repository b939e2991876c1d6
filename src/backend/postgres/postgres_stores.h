// SPDX-License-Identifier: Apache-2.0
// All ports of PostgreSQL over one pool, whose database must be migrated (migrations.h).
#pragma once

#include "backend/postgres/alert_history_store.h"
#include "backend/postgres/alert_store.h"
#include "backend/postgres/backup_ledger.h"
#include "backend/postgres/comparison_store.h"
#include "backend/postgres/history_store.h"
#include "backend/postgres/intake_store.h"
#include "backend/postgres/link_failure_store.h"
#include "backend/postgres/liveness_store.h"
#include "backend/postgres/notification_store.h"
#include "backend/postgres/pool.h"
#include "backend/postgres/record_store.h"
#include "backend/postgres/retention_store.h"
#include "backend/postgres/system_store.h"
#include "backend/postgres/tally_store.h"
#include "backend/postgres/term_store.h"
#include "backend/stores.h"

namespace collect::postgres {

// Must not outlive the pool. All ports are safe from any thread. `form`: how new documents are written.
class PostgresStores {
 public:
  explicit PostgresStores(Pool& pool, inventory::DocumentForm form = inventory::DocumentForm::plain)
      : systems_(pool),
        intake_(pool, form),
        comparison_(pool),
        history_(pool),
        tallies_(pool),
        records_(pool, form),
        alerts_(pool),
        notifications_(pool),
        liveness_(pool),
        link_failures_(pool),
        backups_(pool),
        retention_(pool),
        alert_history_(pool),
        terms_(pool) {}
  PostgresStores(const PostgresStores&) = delete;
  PostgresStores& operator=(const PostgresStores&) = delete;

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

}  // namespace collect::postgres
