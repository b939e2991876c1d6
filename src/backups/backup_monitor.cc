// SPDX-License-Identifier: Apache-2.0
#include "backups/backup_monitor.h"

#include <set>

#include "base/log.h"
#include "systems/authenticator.h"

namespace collect::backups {
namespace {

Result<std::vector<alerts::ListedAlert>> standing(alerts::AlertStore& alerts, std::string_view rule,
                                                  std::optional<SystemId> system_id = std::nullopt) {
  alerts::AlertFilter filter;
  filter.system_id = std::move(system_id);
  filter.alert_type = std::string(rule);
  filter.resolved = false;
  auto listed = alerts.list(filter);
  // Another program's alert may be called the same.
  if (listed) std::erase_if(*listed, [&](const auto& each) { return each.alert.rule != rule; });
  return listed;
}

}  // namespace

Result<bool> BackupMonitor::run(Time now) {
  const auto late = ledger_.overdue(now);
  if (!late) return late.failure();
  const auto told = standing(alerts_, alerts::kBackupOverdueRule);
  if (!told) return told.failure();
  bool news = false;
  std::set<SystemId> overdue;
  for (const Overdue& each : *late) {
    const auto login = systems_.find(each.system_id.text());
    if (!login) return login.failure();
    // Who may not log in cannot back up either.
    if (!*login || systems::why_barred((*login)->system)) continue;
    overdue.insert(each.system_id);
    const auto raised = alerts_.raise(rules_().backup_overdue((*login)->system, each.last_backup), now);
    if (!raised) return raised.failure();
    if (!*raised) continue;
    news = true;
    log::warn("backup_overdue",
              {{"system_id", each.system_id.text()}, {"last_backup", to_rfc3339(each.last_backup)}});
  }
  for (const auto& each : *told) {
    if (overdue.contains(each.alert.system_id)) continue;
    if (auto resolved = alerts_.resolve(each.alert.id, now); !resolved) return resolved.failure();
    news = true;
  }
  return news;
}

Result<void> report_verified(alerts::AlertStore& alerts, const alerts::NotificationRules& rules,
                             const systems::System& system, const std::vector<std::string>& corrupt,
                             Time now) {
  if (!corrupt.empty()) {
    const auto raised = alerts.raise(rules.backup_corrupt(system, corrupt), now);
    if (!raised) return raised.failure();
    return {};
  }
  const auto told = standing(alerts, alerts::kBackupCorruptRule, system.id);
  if (!told) return told.failure();
  for (const auto& each : *told) {
    if (auto resolved = alerts.resolve(each.alert.id, now); !resolved) return resolved.failure();
  }
  return {};
}

}  // namespace collect::backups
