// SPDX-License-Identifier: Apache-2.0
// The ports that a database stands behind, as one engine offers them. Owned elsewhere; whoever holds this
// must not outlive the engine.
#pragma once

#include "alertmanager/alert_history_store.h"
#include "alerts/alert_store.h"
#include "alerts/notification_store.h"
#include "backups/ledger.h"
#include "election/term_store.h"
#include "inventory/comparison_store.h"
#include "inventory/history_store.h"
#include "inventory/intake_store.h"
#include "inventory/record_store.h"
#include "inventory/tally_store.h"
#include "liveness/link_failure_store.h"
#include "liveness/liveness_store.h"
#include "retention/retention_store.h"
#include "systems/system_store.h"

namespace collect::backend {

struct Stores {
  systems::SystemStore& systems;
  inventory::IntakeStore& intake;
  inventory::ComparisonStore& comparison;
  inventory::HistoryStore& history;
  inventory::TallyStore& tallies;
  inventory::RecordStore& records;
  alerts::AlertStore& alerts;
  alerts::NotificationStore& notifications;
  liveness::LivenessStore& liveness;
  liveness::LinkFailureStore& link_failures;
  backups::Ledger& backups;
  retention::RetentionStore& retention;
  alertmanager::AlertHistoryStore& alert_history;
  election::TermStore& terms;
};

}  // namespace collect::backend
