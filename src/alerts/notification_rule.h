// SPDX-License-Identifier: Apache-2.0
// The `notifications` section as it was read: checked values that NotificationRules decides by.
#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerts/channel_config.h"
#include "alerts/notification_rules.h"
#include "diff/change.h"
#include "diff/config_entry.h"
#include "templates/template.h"

namespace collect::alerts {

// What has to hold of a diff and its system; an empty member always holds.
struct Match {
  std::vector<std::string> categories;
  std::optional<diff::Severity> min_severity;
  std::vector<diff::ChangeType> types;
  std::vector<std::shared_ptr<const RE2>> paths;  // one of them
  std::vector<std::string> system_types;
  std::vector<std::string> organizations;  // logto_id, row id or name
};

struct Telling {
  std::string alert_type;                      // empty: no alert
  std::optional<templates::Template> message;  // none: a plain sentence
  std::optional<diff::Severity> severity;      // none: the diff's
  std::vector<std::string> channels;           // each once
};

struct NotificationRule {
  std::string name;
  Match match;
  Telling telling;
  bool stop = false;
};

struct PatternRule {
  bool enabled = true;
  std::size_t min_occurrences = 3;
  Duration window = std::chrono::hours(24);
  Telling telling;
};

struct RuleSet {
  std::vector<NotificationRule> rules;
  PatternRule pattern;
  Telling link_failed;
  Telling backup_overdue;
  Telling backup_corrupt;
  Grouping grouping;
  RateLimits rate_limits;
  std::map<std::string, ChannelConfig> channels;
};

// The `notifications` of `file`; what it lacks is the `builtin` file's. Throws diff::BadConfig.
RuleSet read_rule_set(const diff::ConfigEntry& file, const diff::ConfigEntry& builtin);

}  // namespace collect::alerts
