// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert.h"

#include <tuple>

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

bool told_before(const DeliveryItem& left, const DeliveryItem& right) {
  const auto key = [](const Alert& alert, News news) { return std::tuple(alert.created_at, alert.id, news); };
  if (left.alert.severity != right.alert.severity) return left.alert.severity > right.alert.severity;
  return key(left.alert, left.news) < key(right.alert, right.news);
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
