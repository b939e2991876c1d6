// SPDX-License-Identifier: Apache-2.0
#include "diff/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace collect::diff {
namespace {

bool any(const std::vector<int>& patterns, const std::vector<bool>& matched) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](int pattern) { return matched[static_cast<std::size_t>(pattern)]; });
}

template <class T>
bool contains(const std::vector<T>& list, const T& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// By how many percent a number moved; nullopt when the change is not one of a number. From zero it is
// infinite.
std::optional<double> moved_percent(const Difference& difference) {
  const auto* a = difference.previous;
  const auto* b = difference.current;
  if (a == nullptr || b == nullptr || !a->is_number() || !b->is_number()) return std::nullopt;
  const double from = json::to_double(a->text);
  const double to = json::to_double(b->text);
  if (from == 0) return to == 0 ? 0 : std::numeric_limits<double>::infinity();
  // Divided first: the difference of two huge numbers may be beyond a double.
  const double percent = std::abs(to / from - 1) * 100;
  return std::isnan(percent) ? std::numeric_limits<double>::infinity() : percent;
}

}  // namespace

Duration Rules::longest_time_filter() const {
  Duration longest{0};
  for (const auto& filter : time_filters_) longest = std::max(longest, filter.window);
  return longest;
}

bool Rules::Types::include(ChangeType type) const {
  return types.empty() || contains(types, type);
}

std::string Rules::category_of(const std::vector<bool>& matched) const {
  for (const auto& rule : categories_) {
    if (any(rule.patterns, matched)) return rule.category;
  }
  return "system";
}

Severity Rules::severity_of(const Difference& difference, const std::vector<bool>& matched) const {
  for (const auto& rule : severities_) {
    if (rule.types.include(difference.type) && any(rule.patterns, matched)) return rule.severity;
  }
  const auto percent = moved_percent(difference);
  return percent && *percent > numeric_change_percent_ ? Severity::medium : default_severity_;
}

bool Rules::holds(const Condition& condition, const std::vector<bool>& matched, ChangeType type,
                  const Verdict& verdict) {
  if (condition.pattern) return matched[static_cast<std::size_t>(*condition.pattern)];
  return contains(condition.severities, verdict.severity) ||
         contains(condition.categories, verdict.category) || contains(condition.types, type);
}

void Rules::decide(Verdict& verdict, const Difference& difference, const std::vector<bool>& matched,
                   std::optional<Duration> since_last_change) const {
  const auto say = [&verdict](bool significant, std::string reason) {
    verdict.significant = significant;
    verdict.reason = std::move(reason);
  };
  for (const auto& condition : never_significant_) {
    if (holds(condition, matched, difference.type, verdict)) {
      return say(false, "never_significant: " + condition.text);
    }
  }
  for (const auto& condition : always_significant_) {
    if (holds(condition, matched, difference.type, verdict)) {
      return say(true, "always_significant: " + condition.text);
    }
  }
  for (const auto& filter : time_filters_) {
    if (!matched[static_cast<std::size_t>(filter.pattern)]) continue;
    if (!since_last_change || *since_last_change >= filter.window) continue;
    return say(false,
               fmt::format("time_filters: {} (changed {} s ago, window {} s)", patterns_.text(filter.pattern),
                           std::chrono::floor<std::chrono::seconds>(*since_last_change).count(),
                           std::chrono::floor<std::chrono::seconds>(filter.window).count()));
  }
  const auto percent = moved_percent(difference);
  for (const auto& filter : value_filters_) {
    if (!percent || *percent >= filter.threshold_percent) continue;
    if (!matched[static_cast<std::size_t>(filter.pattern)]) continue;
    return say(false, fmt::format("value_filters: {} (moved {:.3g} %, threshold {:.3g} %)",
                                  patterns_.text(filter.pattern), *percent, filter.threshold_percent));
  }
  say(default_significant_, "default");
}

Rules::Verdict Rules::judge(const Difference& difference, std::string_view stored_path,
                            const LastChanged* last_changed, Time now) const {
  const auto matched = patterns_.match(difference.path);
  Verdict verdict;
  verdict.category = category_of(matched);
  verdict.severity = severity_of(difference, matched);
  std::optional<Duration> since;
  if (last_changed != nullptr) {
    if (const auto at = last_changed->find(stored_path); at != last_changed->end()) since = now - at->second;
  }
  decide(verdict, difference, matched, since);
  return verdict;
}

}  // namespace collect::diff
