// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "diff/config_entry.h"
#include "diff/default_config.h"
#include "diff/rules.h"

namespace collect::diff {
namespace {

constexpr std::array kCategories = {"modules", "cluster",  "nodes",  "os",       "hardware",
                                    "network", "security", "backup", "features", "system"};

template <class T, class Parse>
T word(const ConfigEntry& entry, const std::string& text, Parse parse, std::string_view choices) {
  const auto value = parse(text);
  if (!value) entry.refuse(fmt::format("expected one of {}, got '{}'", choices, text));
  return *value;
}

Severity severity_word(const ConfigEntry& entry, const std::string& text) {
  return word<Severity>(entry, text, parse_severity, "low, medium, high, critical");
}
ChangeType type_word(const ConfigEntry& entry, const std::string& text) {
  return word<ChangeType>(entry, text, parse_change_type, "create, update, delete");
}
std::string category_word(const ConfigEntry& entry, const std::string& text) {
  const auto known = [](const std::string& name) -> std::optional<std::string> {
    return std::find(kCategories.begin(), kCategories.end(), name) == kCategories.end() ? std::nullopt
                                                                                        : std::optional(name);
  };
  return word<std::string>(entry, text, known, fmt::format("{}", fmt::join(kCategories, ", ")));
}

// "high|critical" or "(high|critical)" as words.
std::vector<std::string> alternatives(std::string_view text) {
  if (text.size() >= 2 && text.front() == '(' && text.back() == ')') text = text.substr(1, text.size() - 2);
  std::vector<std::string> words;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('|', start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

std::vector<std::string> shape_of(const ConfigEntry& entry, const std::string& text) {
  auto shape = split_shape(text);
  if (!shape) entry.refuse(fmt::format("expected keys joined by dots, with * for any key, got '{}'", text));
  return *std::move(shape);
}

}  // namespace

// Fills Rules section by section, each from the file or, where it has none, from the built-in text.
class RulesReader {
 public:
  Rules read(const ConfigEntry& file, const ConfigEntry* fallback) {
    using Reader = void (RulesReader::*)(const ConfigEntry&);
    const std::map<std::string, Reader> readers = {
        {"limits", &RulesReader::limits},
        {"field_identifiers", &RulesReader::field_identifiers},
        {"sets", &RulesReader::sets},
        {"display_names", &RulesReader::display_names},
        {"partial_reports", &RulesReader::partial_reports},
        {"identity", &RulesReader::identity},
        {"categories", &RulesReader::categories},
        {"severity", &RulesReader::severity},
        {"significance", &RulesReader::significance},
    };
    std::set<std::string> known = {"applications", "notifications"};
    for (const auto& [name, reader] : readers) known.insert(name);
    std::set<std::string> done;
    for (const auto* source : {&file, fallback}) {
      if (source == nullptr) continue;
      for (const auto& [name, entry] : source->members(known)) {
        const auto reader = readers.find(name);
        if (reader != readers.end() && done.insert(name).second) (this->*reader->second)(entry);
      }
    }
    if (auto compiled = rules_.patterns_.compile(); !compiled) file.refuse(compiled.failure().message);
    return std::move(rules_);
  }

 private:
  void limits(const ConfigEntry& section) {
    for (const auto& [name, value] :
         section.members({"max_diff_depth", "max_diffs_per_run", "max_field_path_length"})) {
      if (name == "max_diff_depth") rules_.limits_.max_diff_depth = value.count(1, json::kMaxDepth);
      if (name == "max_diffs_per_run") rules_.limits_.max_diffs_per_run = value.count(1, 1'000'000);
      // The column is varchar(500); below 32 the mark of a cut path would leave nothing of it.
      if (name == "max_field_path_length") rules_.limits_.max_field_path_length = value.count(32, 500);
    }
  }

  void field_identifiers(const ConfigEntry& section) {
    for (const auto& [name, value] : section.members({}))
      rules_.shapes_.identify(shape_of(value, name), value.text());
  }

  void sets(const ConfigEntry& section) {
    for (const auto& item : section.items()) rules_.shapes_.mark_set(shape_of(item, item.text()));
  }

  void display_names(const ConfigEntry& section) {
    for (const auto& [name, value] : section.members({}))
      rules_.shapes_.show_as(shape_of(value, name), value.text());
  }

  void partial_reports(const ConfigEntry& section) {
    for (const auto& item : section.items()) {
      PartialRule rule;
      for (const auto& [name, value] : item.members({"path", "except"})) {
        if (name == "path") rule.shape = shape_of(value, value.text());
        if (name != "except") continue;
        for (const auto& key : value.items()) rule.except.push_back(key.text());
      }
      if (rule.shape.empty()) item.refuse("expected a 'path'");
      rules_.partial_reports_.push_back(std::move(rule));
    }
  }

  void identity(const ConfigEntry& section) {
    for (const auto& item : section.items()) rules_.identity_.push_back(item.text());
  }

  int pattern(const ConfigEntry& entry) {
    const auto number = rules_.patterns_.add(entry.text());
    if (!number) {
      entry.refuse(fmt::format("expected a regular expression (RE2), got '{}': {}", entry.text(),
                               number.failure().message));
    }
    return *number;
  }

  std::vector<int> patterns(const ConfigEntry& list) {
    std::vector<int> numbers;
    for (const auto& item : list.one_or_more()) numbers.push_back(pattern(item));
    return numbers;
  }

  void categories(const ConfigEntry& section) {
    for (const auto& item : section.items()) {
      Rules::CategoryRule rule;
      for (const auto& [name, value] : item.members({"category", "paths"})) {
        if (name == "category") rule.category = category_word(value, value.text());
        if (name == "paths") rule.patterns = patterns(value);
      }
      if (rule.category.empty() || rule.patterns.empty())
        item.refuse("expected a 'category' and its 'paths'");
      rules_.categories_.push_back(std::move(rule));
    }
  }

  void severity(const ConfigEntry& section) {
    rules_.numeric_change_percent_ = 20;
    for (const auto& [name, value] :
         section.members({"critical", "high", "medium", "low", "numeric_change_percent", "default"})) {
      if (name == "numeric_change_percent") {
        rules_.numeric_change_percent_ = value.percent();
      } else if (name == "default") {
        rules_.default_severity_ = severity_word(value, value.text());
      } else {
        for (const auto& item : value.items()) severity_rule(severity_word(value, name), item);
      }
    }
    std::stable_sort(rules_.severities_.begin(), rules_.severities_.end(),
                     [](const auto& a, const auto& b) { return a.severity > b.severity; });
  }

  void severity_rule(Severity severity, const ConfigEntry& item) {
    Rules::SeverityRule rule{severity, {}, {}};
    for (const auto& [name, value] : item.members({"change_type", "paths"})) {
      if (name == "paths") rule.patterns = patterns(value);
      if (name != "change_type") continue;
      for (const auto& type : value.one_or_more()) rule.types.types.push_back(type_word(type, type.text()));
    }
    if (rule.patterns.empty()) item.refuse("expected 'paths'");
    rules_.severities_.push_back(std::move(rule));
  }

  void significance(const ConfigEntry& section) {
    for (const auto& [name, value] : section.members(
             {"never_significant", "always_significant", "time_filters", "value_filters", "default"})) {
      if (name == "never_significant") rules_.never_significant_ = conditions(value);
      if (name == "always_significant") rules_.always_significant_ = conditions(value);
      if (name == "time_filters") time_filters(value);
      if (name == "value_filters") value_filters(value);
      if (name == "default") rules_.default_significant_ = value.flag();
    }
  }

  std::vector<Rules::Condition> conditions(const ConfigEntry& list) {
    std::vector<Rules::Condition> conditions;
    for (const auto& item : list.items()) conditions.push_back(condition(item));
    return conditions;
  }

  Rules::Condition condition(const ConfigEntry& item) {
    Rules::Condition condition;
    condition.text = item.text();
    const auto colon = condition.text.find(':');
    const auto property = condition.text.substr(0, colon);
    const auto words =
        alternatives(colon == std::string::npos ? "" : std::string_view(condition.text).substr(colon + 1));
    if (colon != std::string::npos && property == "severity") {
      for (const auto& each : words) condition.severities.push_back(severity_word(item, each));
    } else if (colon != std::string::npos && property == "category") {
      for (const auto& each : words) condition.categories.push_back(category_word(item, each));
    } else if (colon != std::string::npos && property == "change_type") {
      for (const auto& each : words) condition.types.push_back(type_word(item, each));
    } else {
      condition.pattern = pattern(item);
    }
    return condition;
  }

  void time_filters(const ConfigEntry& list) {
    constexpr std::size_t kTenYears = std::size_t{10} * 366 * 86400;
    for (const auto& item : list.items()) {
      std::optional<int> path;
      std::optional<Duration> window;
      for (const auto& [name, value] : item.members({"path", "window_seconds"})) {
        if (name == "path") path = pattern(value);
        if (name == "window_seconds") window = std::chrono::seconds(value.count(1, kTenYears));
      }
      if (!path || !window) item.refuse("expected a 'path' and its 'window_seconds'");
      rules_.time_filters_.push_back({*path, *window});
    }
  }

  void value_filters(const ConfigEntry& list) {
    for (const auto& item : list.items()) {
      std::optional<int> path;
      std::optional<double> threshold;
      for (const auto& [name, value] : item.members({"path", "threshold_percent"})) {
        if (name == "path") path = pattern(value);
        if (name == "threshold_percent") threshold = value.percent();
      }
      if (!path || !threshold) item.refuse("expected a 'path' and its 'threshold_percent'");
      rules_.value_filters_.push_back({*path, *threshold});
    }
  }

  Rules rules_;
};

Result<Rules> Rules::load(std::string_view yaml, std::string_view origin) {
  try {
    const auto fallback = ConfigEntry::parse(default_config(), "the built-in config.yml");
    const auto file = ConfigEntry::parse(yaml, origin);
    // An empty file changes nothing.
    return file.nothing() ? RulesReader().read(fallback, nullptr) : RulesReader().read(file, &fallback);
  } catch (const BadConfig& error) {
    return invalid(error.what());
  }
}

Rules Rules::builtin() {
  auto rules = load("", "the built-in config.yml");
  if (!rules) throw std::logic_error(rules.failure().message);
  return *std::move(rules);
}

}  // namespace collect::diff
