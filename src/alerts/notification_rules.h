// SPDX-License-Identifier: Apache-2.0
// The `notifications` section of config.yml: which changes are alerts, what they say, and to whom. The file
// itself documents every key. Immutable once loaded; reading is thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert_store.h"
#include "alerts/channel_config.h"
#include "base/result.h"

namespace collect::alerts {

// One notification about a system in a window; of what it lists, the rest is counted.
struct Grouping {
  Duration window = std::chrono::minutes(30);
  std::size_t max_group_size = 10;
};
// Of one organization on one channel, summaries included.
struct RateLimits {
  std::int64_t max_notifications_per_hour = 50;
  std::int64_t max_critical_per_hour = 10;
};

// The rule and alert_type of systems that went silent: made by the liveness room, told as this section says.
inline constexpr std::string_view kLinkFailedRule = "link_failed";

// The rules and alert_types of what the backups room finds.
inline constexpr std::string_view kBackupOverdueRule = "backup_overdue";
inline constexpr std::string_view kBackupCorruptRule = "backup_corrupt";

struct LinkFailedNews {
  std::string message;
  diff::Severity severity = diff::Severity::critical;
};

class NotificationRules {
 public:
  // `yaml` is the text of a config.yml, `origin` what messages call it. Each key of the section that is
  // missing is the built-in one. `invalid` names origin, line and key.
  static Result<NotificationRules> load(std::string_view yaml, std::string_view origin);

  // How far back NotifyQuestion::since has to go.
  [[nodiscard]] Duration pattern_window() const;

  // What these diffs mean: the rules from first to last for each, pattern alerts, and which of the open
  // alerts they resolve. An alert of this very call is not open yet, so ask once for each record: within one,
  // no path changes twice. Pure, but for a warning in the log when a message cannot be rendered.
  [[nodiscard]] NotifyPlan decide(const NotifyState& state) const;

  // What is told of a system that went silent, and to whom: never to a channel of type alertmanager, because
  // Alertmanagers hear of it as LinkFailed.
  [[nodiscard]] LinkFailedNews link_failed(const systems::System& system) const;
  [[nodiscard]] const std::vector<std::string>& link_failed_channels() const;

  // What is told of a system that used to back up and has not for a while, and of one whose backups with
  // these ids are no longer what came in.
  [[nodiscard]] StandingAlert backup_overdue(const systems::System& system, Time last_backup) const;
  [[nodiscard]] StandingAlert backup_corrupt(const systems::System& system,
                                             const std::vector<std::string>& ids) const;

  [[nodiscard]] const Grouping& grouping() const;
  [[nodiscard]] const RateLimits& rate_limits() const;
  [[nodiscard]] const std::map<std::string, ChannelConfig>& channels() const;

 private:
  struct Parts;
  explicit NotificationRules(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace collect::alerts
