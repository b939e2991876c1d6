// SPDX-License-Identifier: Apache-2.0
// The ports that a database stands behind, as one engine offers them. Owned elsewhere; whoever holds this
// must not outlive the engine.
#pragma once

#include "alerts/alert_store.h"
#include "alerts/notification_store.h"
#include "inventory/comparison_store.h"
#include "inventory/history_store.h"
#include "inventory/intake_store.h"
#include "liveness/liveness_store.h"
#include "systems/system_store.h"

namespace collect::backend {

struct Stores {
  systems::SystemStore& systems;
  inventory::IntakeStore& intake;
  inventory::ComparisonStore& comparison;
  inventory::HistoryStore& history;
  alerts::AlertStore& alerts;
  alerts::NotificationStore& notifications;
  liveness::LivenessStore& liveness;
};

}  // namespace collect::backend
