// SPDX-License-Identifier: Apache-2.0
#include "alerts/notification_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/alert_labels.h"
#include "alerts/auto_resolve.h"
#include "alerts/notification_rule.h"
#include "base/log.h"
#include "diff/default_config.h"
#include "net/http.h"

namespace collect::alerts {
namespace {

template <class T>
bool among(const std::vector<T>& list, const T& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// "NS8" is ns8: people write it in both ways.
bool is_one_of(const std::optional<std::string>& type, const std::vector<std::string>& types) {
  return types.empty() || (type && std::any_of(types.begin(), types.end(), [&](const std::string& each) {
                             return net::equal_ignoring_case(each, *type);
                           }));
}

bool holds(const Match& match, const StoredDiff& diff, const systems::System& system) {
  const auto& organization = system.organization;
  return among(match.types, diff.type) && among(match.categories, diff.category) &&
         diff.severity >= match.min_severity.value_or(diff::Severity::low) &&
         is_one_of(system.type, match.system_types) &&
         (match.organizations.empty() || among(match.organizations, system.organization_id.text()) ||
          among(match.organizations, organization.logto_id.text()) ||
          among(match.organizations, organization.row_id) || among(match.organizations, organization.name));
}

using Groups = std::map<std::string, std::string>;

// The named groups of the first of the patterns that matches; those of the others, and those without a part
// in the match, are empty. Nullopt when none matches.
std::optional<Groups> match_path(const std::vector<std::shared_ptr<const RE2>>& patterns,
                                 const std::string& path) {
  Groups groups;
  bool matched = patterns.empty();
  for (const auto& pattern : patterns) {
    std::vector<re2::StringPiece> found(static_cast<std::size_t>(pattern->NumberOfCapturingGroups()) + 1);
    const bool matches = !matched && pattern->Match(path, 0, path.size(), RE2::UNANCHORED, found.data(),
                                                    static_cast<int>(found.size()));
    matched = matched || matches;
    for (const auto& [name, number] : pattern->NamedCapturingGroups()) {
      auto& text = groups[name];
      if (matches) text = found[static_cast<std::size_t>(number)].as_string();
    }
  }
  return matched ? std::optional(std::move(groups)) : std::nullopt;
}

// `plain` where there is no template or it says nothing.
std::string message_of(const Telling& telling, const std::string& rule, const templates::Values& labels,
                       const std::string& plain) {
  if (!telling.message) return as_message(plain);
  auto rendered = telling.message->render(labels);
  auto message = rendered ? as_message(*rendered) : "";
  if (!message.empty()) return message;
  log::warn("alert_message_failed",
            {{"rule", rule},
             {"system_id", labels.find("system_id")->second},
             {"reason", rendered ? "the message is empty" : rendered.failure().message}});
  return as_message(plain);
}

// "2026-01-02 03:04 UTC"
std::string minute_of(Time time) {
  const auto text = to_rfc3339(time);
  return fmt::format("{} {} UTC", text.substr(0, 10), text.substr(11, 5));
}

// What is told of a system itself: labels of the system and these; `plain` is what follows its name where
// there is no template.
StandingAlert standing(const Telling& telling, std::string_view rule, const systems::System& system,
                       const std::map<std::string, std::string>& more, const std::string& plain) {
  StandingAlert alert{system.id,
                      system.organization.logto_id,
                      std::string(rule),
                      "",
                      telling.severity.value_or(diff::Severity::high),
                      telling.channels};
  auto labels = system_labels(system);
  const std::string sentence = fmt::format("{} {}", labels.at("system_name"), plain);
  labels["severity"] = diff::to_string(alert.severity);
  for (const auto& [name, value] : more) labels[name] = value;
  alert.message = message_of(telling, alert.rule, labels, sentence);
  return alert;
}

// One state's diffs, one after the other.
class Decision {
 public:
  Decision(const RuleSet& set, const NotifyState& state)
      : set_(set), state_(state), last_pattern_(state.last_pattern), open_(state.open) {
    // A path that flapped may flap again: that is for people to end.
    std::erase_if(open_, [](const OpenAlert& alert) { return alert.rule == kPatternRule; });
  }

  NotifyPlan decide() && {
    for (const StoredDiff& diff : state_.unsent) {
      if (apply_rules(diff)) apply_pattern(diff);
      resolve(diff);
    }
    return std::move(plan_);
  }

 private:
  // False: a rule says that this diff is no alert.
  bool apply_rules(const StoredDiff& diff) {
    for (const NotificationRule& rule : set_.rules) {
      if (!holds(rule.match, diff, state_.system)) continue;
      auto groups = match_path(rule.match.paths, diff.field_path);
      if (!groups) continue;
      if (rule.telling.alert_type.empty()) return false;
      add(diff, rule.name, rule.telling, *std::move(groups));
      if (rule.stop) break;
    }
    return true;
  }

  void apply_pattern(const StoredDiff& diff) {
    const PatternRule& pattern = set_.pattern;
    const auto times = state_.occurrences.find(diff.field_path);
    if (!pattern.enabled || times == state_.occurrences.end()) return;
    if (pattern_rests(last_pattern_, diff, pattern.window)) return;
    const Time begin = diff.created_at - pattern.window;
    const auto occurrences =
        static_cast<std::size_t>(std::count_if(times->second.begin(), times->second.end(), [&](Time time) {
          return time > begin && time <= diff.created_at;
        }));
    if (occurrences < pattern.min_occurrences) return;
    last_pattern_[diff.field_path] = diff.created_at;
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(pattern.window).count();
    add(diff, std::string(kPatternRule), pattern.telling,
        {{"occurrences", std::to_string(occurrences)}, {"window_hours", std::to_string(hours)}});
  }

  void add(const StoredDiff& diff, const std::string& rule, const Telling& telling, Groups&& groups) {
    auto labels = alert_labels(state_.system, diff);
    for (auto& [name, text] : groups) labels[name] = std::move(text);
    const auto plain = rule == kPatternRule ? flapping_sentence(labels) : plain_sentence(labels);
    plan_.alerts.push_back({diff.id, rule, telling.alert_type, message_of(telling, rule, labels, plain),
                            telling.severity.value_or(diff.severity), telling.channels});
  }

  void resolve(const StoredDiff& diff) {
    for (const AlertId id : ended_by(diff, open_)) {
      const auto alert =
          std::find_if(open_.begin(), open_.end(), [&](const OpenAlert& each) { return each.id == id; });
      const auto rule = std::find_if(set_.rules.begin(), set_.rules.end(),
                                     [&](const NotificationRule& each) { return each.name == alert->rule; });
      plan_.resolved.push_back(
          {id, rule == set_.rules.end() ? std::vector<std::string>{} : rule->telling.channels});
      open_.erase(alert);
    }
  }

  const RuleSet& set_;
  const NotifyState& state_;
  LastPatterns last_pattern_;
  std::vector<OpenAlert> open_;  // still
  NotifyPlan plan_;
};

}  // namespace

struct NotificationRules::Parts {
  RuleSet set;
};

NotificationRules::NotificationRules(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

Result<NotificationRules> NotificationRules::load(std::string_view yaml, std::string_view origin) {
  try {
    const auto builtin = diff::ConfigEntry::parse(diff::default_config(), "the built-in config.yml");
    const auto file = diff::ConfigEntry::parse(yaml, origin);
    return NotificationRules(std::make_shared<const Parts>(Parts{read_rule_set(file, builtin)}));
  } catch (const diff::BadConfig& error) {
    return invalid(error.what());
  }
}

Duration NotificationRules::pattern_window() const {
  const auto& pattern = parts_->set.pattern;
  return pattern.enabled ? pattern.window : Duration::zero();
}

NotifyPlan NotificationRules::decide(const NotifyState& state) const {
  return Decision(parts_->set, state).decide();
}

LinkFailedNews NotificationRules::link_failed(const systems::System& system) const {
  const Telling& telling = parts_->set.link_failed;
  LinkFailedNews news;
  news.severity = telling.severity.value_or(diff::Severity::critical);
  auto labels = system_labels(system);
  const auto last = system.last_heartbeat ? minute_of(*system.last_heartbeat) : std::string();
  const auto plain = fmt::format("{} is silent{}", labels.at("system_name"),
                                 last.empty() ? "" : ", its last heartbeat came at " + last);
  labels["severity"] = diff::to_string(news.severity);
  labels["last_heartbeat"] = last;
  news.message = message_of(telling, std::string(kLinkFailedRule), labels, plain);
  return news;
}

const std::vector<std::string>& NotificationRules::link_failed_channels() const {
  return parts_->set.link_failed.channels;
}

StandingAlert NotificationRules::backup_overdue(const systems::System& system, Time last_backup) const {
  const auto last = minute_of(last_backup);
  return standing(parts_->set.backup_overdue, kBackupOverdueRule, system, {{"last_backup", last}},
                  "has made no backup since " + last);
}

StandingAlert NotificationRules::backup_corrupt(const systems::System& system,
                                                const std::vector<std::string>& ids) const {
  return standing(
      parts_->set.backup_corrupt, kBackupCorruptRule, system,
      {{"backups", fmt::format("{}", fmt::join(ids, ", "))}, {"count", std::to_string(ids.size())}},
      fmt::format("has backups that are no longer what it sent: {}", fmt::join(ids, ", ")));
}

const Grouping& NotificationRules::grouping() const {
  return parts_->set.grouping;
}

const RateLimits& NotificationRules::rate_limits() const {
  return parts_->set.rate_limits;
}

const std::map<std::string, ChannelConfig>& NotificationRules::channels() const {
  return parts_->set.channels;
}

}  // namespace collect::alerts
