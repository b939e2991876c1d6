// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "alerts/alert_store.h"

namespace collect::alerts {

std::string_view to_string(News news) {
  return news == News::firing ? "firing" : "resolved";
}

std::optional<News> parse_news(std::string_view word) {
  for (const auto news : {News::firing, News::resolved}) {
    if (word == to_string(news)) return news;
  }
  return std::nullopt;
}

std::vector<DeliveryItem> in_order(std::vector<DeliveryItem> items) {
  const auto key = [](const DeliveryItem& item) {
    const auto least_first = -static_cast<int>(item.alert.severity);
    return std::tuple(least_first, item.alert.created_at, item.alert.id);
  };
  // An alert that was resolved stays so: that news is the later one.
  std::ranges::sort(items, [&](const DeliveryItem& left, const DeliveryItem& right) {
    return std::tuple(key(left), right.news) < std::tuple(key(right), left.news);
  });
  const auto same = [](const DeliveryItem& a, const DeliveryItem& b) { return a.alert.id == b.alert.id; };
  items.erase(std::unique(items.begin(), items.end(), same), items.end());
  return items;
}

bool lies_in(std::string_view path, std::string_view place) {
  return path.starts_with(place) && (path.size() == place.size() || path[place.size()] == '.');
}

bool pattern_rests(const LastPatterns& last, const StoredDiff& diff, Duration window) {
  const auto of_path = last.find(diff.field_path);
  return of_path != last.end() && of_path->second > diff.created_at - window;
}

std::vector<std::string> changed_paths(const NotifyState& state) {
  std::set<std::string> paths;
  for (const StoredDiff& diff : state.unsent) paths.insert(diff.field_path);
  return {paths.begin(), paths.end()};
}

std::vector<std::string> paths_to_count(const NotifyState& state, Duration window) {
  std::set<std::string> paths;
  for (const StoredDiff& diff : state.unsent) {
    if (!pattern_rests(state.last_pattern, diff, window)) paths.insert(diff.field_path);
  }
  return {paths.begin(), paths.end()};
}

std::vector<std::string> severities_from(diff::Severity least) {
  using diff::Severity;
  std::vector<std::string> words;
  for (const auto severity : {Severity::low, Severity::medium, Severity::high, Severity::critical}) {
    if (severity >= least) words.emplace_back(diff::to_string(severity));
  }
  return words;
}

}  // namespace collect::alerts
