// SPDX-License-Identifier: Apache-2.0
// Tells of systems that used to back up and have not for a while, and of backups that are no longer what was
// sent: one alert each, as long as it is so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "alerts/alert_store.h"
#include "alerts/notification_rules.h"
#include "backups/ledger.h"
#include "base/clock.h"
#include "systems/system_store.h"

namespace collect::backups {

// For one thread. Should two processes do the same at once, alerts are still made once.
class BackupMonitor {
 public:
  // `rules` gives those in force.
  BackupMonitor(Ledger& ledger, systems::SystemStore& systems, alerts::AlertStore& alerts,
                std::function<alerts::NotificationRules()> rules)
      : ledger_(ledger), systems_(systems), alerts_(alerts), rules_(std::move(rules)) {}

  // Raises an alert for every system that is overdue, and resolves those of systems that are not or no longer
  // in service. True: some news is to be told.
  Result<bool> run(Time now);

 private:
  Ledger& ledger_;
  systems::SystemStore& systems_;
  alerts::AlertStore& alerts_;
  const std::function<alerts::NotificationRules()> rules_;
};

// What a look at all of a system's backups found: those with these ids do not hold, all others do.
Result<void> report_verified(alerts::AlertStore& alerts, const alerts::NotificationRules& rules,
                             const systems::System& system, const std::vector<std::string>& corrupt,
                             Time now);

}  // namespace collect::backups
