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

inline constexpr std::string_view kPatternRule = "pattern";

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

  [[nodiscard]] const Grouping& grouping() const;
  [[nodiscard]] const RateLimits& rate_limits() const;
  [[nodiscard]] const std::map<std::string, ChannelConfig>& channels() const;

 private:
  struct Parts;
  explicit NotificationRules(std::shared_ptr<const Parts> parts);
  std::shared_ptr<const Parts> parts_;
};

}  // namespace collect::alerts
