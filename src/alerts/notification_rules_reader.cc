// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "alerts/notification_rule.h"

namespace collect::alerts {
namespace {

using diff::ConfigEntry;

constexpr std::array kCategories = {"modules", "cluster",  "nodes",  "os",       "hardware",
                                    "network", "security", "backup", "features", "system"};
// Names that alerts without a rule have.
constexpr std::array<std::string_view, 4> kReservedNames = {kPatternRule, kLinkFailedRule, kBackupOverdueRule,
                                                            kBackupCorruptRule};
constexpr std::string_view kLogChannel = "log";
constexpr std::size_t kYearOfHours = 366UL * 24;

template <class Parse>
auto word(const ConfigEntry& entry, Parse parse, std::string_view choices) {
  const auto value = parse(entry.text());
  if (!value) entry.refuse(fmt::format("expected one of {}, got '{}'", choices, entry.text()));
  return *value;
}

diff::Severity severity_word(const ConfigEntry& entry) {
  return word(entry, diff::parse_severity, "low, medium, high, critical");
}

diff::ChangeType type_word(const ConfigEntry& entry) {
  return word(entry, diff::parse_change_type, "create, update, delete");
}

std::string category_word(const ConfigEntry& entry) {
  const auto known = [](const std::string& name) {
    return std::find(kCategories.begin(), kCategories.end(), name) == kCategories.end() ? std::nullopt
                                                                                        : std::optional(name);
  };
  return word(entry, known, fmt::format("{}", fmt::join(kCategories, ", ")));
}

std::shared_ptr<const RE2> path_pattern(const ConfigEntry& entry) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  auto pattern = std::make_shared<const RE2>(entry.text(), options);
  if (!pattern->ok()) {
    entry.refuse(
        fmt::format("expected a regular expression (RE2), got '{}': {}", entry.text(), pattern->error()));
  }
  return pattern;
}

std::string text_of(const ConfigEntry& entry) {
  return entry.text();
}

// A list that says something.
template <class Read>
auto some(const ConfigEntry& list, Read read) {
  std::vector<decltype(read(list))> values;
  for (const auto& item : list.one_or_more()) values.push_back(read(item));
  if (values.empty()) list.expected("at least one");
  return values;
}

Match read_match(const ConfigEntry& section) {
  Match match;
  for (const auto& [name, value] :
       section.members({"category", "min_severity", "change_type", "path", "system_type", "organization"})) {
    if (name == "category") match.categories = some(value, category_word);
    if (name == "min_severity") match.min_severity = severity_word(value);
    if (name == "change_type") match.types = some(value, type_word);
    if (name == "path") match.paths = some(value, path_pattern);
    if (name == "system_type") match.system_types = some(value, text_of);
    if (name == "organization") match.organizations = some(value, text_of);
  }
  return match;
}

templates::Template read_template(const ConfigEntry& entry) {
  auto parsed = templates::Template::parse(entry.text());
  if (!parsed) entry.refuse(fmt::format("expected a message template: {}", parsed.failure().message));
  return *std::move(parsed);
}

class Reader {
 public:
  RuleSet read(const std::map<std::string, ConfigEntry>& keys) && {
    // First of all: everything else names channels.
    set_.channels = read_channels(keys.at("channels"));
    set_.channels.try_emplace(std::string(kLogChannel), LogChannelConfig{});
    default_channels_ = channel_names(keys.at("default_channels"));
    for (const char* list : {"first_rules", "rules"}) {
      for (const auto& item : keys.at(list).items()) set_.rules.push_back(rule(item));
    }
    pattern(keys.at("pattern"));
    link_failed(keys.at("link_failed"));
    standing(set_.backup_overdue, kBackupOverdueRule, diff::Severity::high, keys.at("backup_overdue"));
    standing(set_.backup_corrupt, kBackupCorruptRule, diff::Severity::critical, keys.at("backup_corrupt"));
    grouping(keys.at("grouping"));
    rate_limits(keys.at("rate_limits"));
    return std::move(set_);
  }

 private:
  std::vector<std::string> channel_names(const ConfigEntry& list) {
    std::vector<std::string> names;
    for (const auto& item : list.one_or_more()) {
      const auto name = item.text();
      if (!set_.channels.contains(name)) {
        std::vector<std::string> known;
        for (const auto& [channel, config] : set_.channels) known.push_back(channel);
        item.refuse(fmt::format("unknown channel '{}', expected one of: {}", name, fmt::join(known, ", ")));
      }
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
  }

  // True if the key is one of Telling's.
  bool read_telling(Telling& telling, const std::string& name, const ConfigEntry& value) {
    if (name == "alert_type") {
      telling.alert_type = value.text();
    } else if (name == "message") {
      telling.message = read_template(value);
    } else if (name == "severity") {
      telling.severity = severity_word(value);
    } else if (name == "channels") {
      telling.channels = channel_names(value);
    } else {
      return false;
    }
    return true;
  }

  NotificationRule rule(const ConfigEntry& item) {
    NotificationRule rule;
    rule.telling.channels = default_channels_;
    bool tells = false;
    for (const auto& [name, value] :
         item.members({"name", "match", "alert_type", "message", "severity", "channels", "stop"})) {
      if (read_telling(rule.telling, name, value)) tells = true;
      if (name == "name") rule.name = value.text();
      if (name == "match") rule.match = read_match(value);
      if (name == "stop") rule.stop = value.flag();
    }
    if (rule.telling.alert_type.empty()) {
      if (tells) item.refuse("expected an 'alert_type'");
      if (!rule.stop) item.refuse("expected an 'alert_type', or 'stop: true' for changes that are no alert");
      if (rule.name.empty()) item.refuse("expected a 'name' or an 'alert_type'");
    }
    if (rule.name.empty()) rule.name = rule.telling.alert_type;
    if (std::find(kReservedNames.begin(), kReservedNames.end(), rule.name) != kReservedNames.end())
      item.refuse(fmt::format("the name '{}' is reserved, expected another 'name'", rule.name));
    if (!names_.insert(rule.name).second)
      item.refuse(fmt::format("two rules are called '{}', expected a 'name' of its own", rule.name));
    return rule;
  }

  void pattern(const ConfigEntry& section) {
    PatternRule& pattern = set_.pattern;
    pattern.telling = {"flapping", std::nullopt, diff::Severity::medium, default_channels_};
    for (const auto& [name, value] : section.members({"enabled", "min_occurrences", "window_hours",
                                                      "alert_type", "message", "severity", "channels"})) {
      if (read_telling(pattern.telling, name, value)) continue;
      if (name == "enabled") pattern.enabled = value.flag();
      if (name == "min_occurrences") pattern.min_occurrences = value.count(2, 1'000'000);
      if (name == "window_hours") pattern.window = std::chrono::hours(value.count(1, kYearOfHours));
    }
  }

  void link_failed(const ConfigEntry& section) {
    Telling& telling = set_.link_failed;
    standing(telling, kLinkFailedRule, diff::Severity::critical, section);
    std::erase_if(telling.channels, [this](const std::string& name) {
      return std::holds_alternative<AlertmanagerChannelConfig>(set_.channels.at(name));
    });
  }

  void standing(Telling& telling, std::string_view rule, diff::Severity severity,
                const ConfigEntry& section) {
    telling = {std::string(rule), std::nullopt, severity, default_channels_};
    for (const auto& [name, value] : section.members({"message", "severity", "channels"}))
      read_telling(telling, name, value);
  }

  void grouping(const ConfigEntry& section) {
    for (const auto& [name, value] : section.members({"time_window_minutes", "max_group_size"})) {
      if (name == "time_window_minutes")
        set_.grouping.window = std::chrono::minutes(value.count(0, kYearOfHours * 60));
      if (name == "max_group_size") set_.grouping.max_group_size = value.count(1, 1'000'000);
    }
  }

  void rate_limits(const ConfigEntry& section) {
    constexpr std::size_t kMost = 1'000'000;
    const auto number = [](const ConfigEntry& value) {
      return static_cast<std::int64_t>(value.count(1, kMost));
    };
    for (const auto& [name, value] :
         section.members({"max_notifications_per_hour", "max_critical_per_hour"})) {
      if (name == "max_notifications_per_hour") set_.rate_limits.max_notifications_per_hour = number(value);
      if (name == "max_critical_per_hour") set_.rate_limits.max_critical_per_hour = number(value);
    }
  }

  RuleSet set_;
  std::vector<std::string> default_channels_;
  std::set<std::string> names_;
};

}  // namespace

RuleSet read_rule_set(const ConfigEntry& file, const ConfigEntry& builtin) {
  std::map<std::string, ConfigEntry> keys;
  for (const auto* source : {&file, &builtin}) {
    if (source->nothing()) continue;
    for (const auto& [section, entry] : source->members({})) {
      if (section != "notifications" || entry.nothing()) continue;
      for (const auto& [name, value] :
           entry.members({"first_rules", "rules", "pattern", "link_failed", "backup_overdue",
                          "backup_corrupt", "grouping", "rate_limits", "channels", "default_channels"})) {
        keys.try_emplace(name, value);
      }
    }
  }
  return Reader().read(keys);
}

}  // namespace collect::alerts
