// SPDX-License-Identifier: Apache-2.0
#include "journey/alerts_seen.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace collect::test {
namespace {

std::int64_t number_of(const json::Value& object, std::string_view key) {
  return std::stoll(text_of(object, key));
}

bool is_told(const Told& told, const News& news) {
  return told.contains(news) || told.contains({news.first, "resolved"});
}

std::string described(const std::vector<News>& news) {
  std::string out = std::to_string(news.size()) + " of them:";
  for (std::size_t i = 0; i < std::min<std::size_t>(news.size(), 10); ++i)
    out += " " + std::to_string(news[i].first) + " " + news[i].second + ";";
  return out;
}

}  // namespace

const std::string kNothingHeldBack =
    "  grouping: { time_window_minutes: 0, max_group_size: 1000000 }\n"
    "  rate_limits: { max_notifications_per_hour: 1000000, max_critical_per_hour: 1000000 }\n";

std::vector<AlertRow> listed_alerts(const Service& service, const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"alerts", "list", "--all", "--json"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto list = parsed(service.cli_output(std::move(words)));
  std::vector<AlertRow> rows;
  for (const json::Value& alert : list.root().elements) {
    AlertRow row{number_of(alert, "id"),
                 std::nullopt,
                 text_of(alert, "system_key"),
                 text_of(alert, "rule"),
                 text_of(alert, "alert_type"),
                 text_of(alert, "severity"),
                 text_of(alert, "message"),
                 text_of(alert, "field_path"),
                 alert.find("is_resolved")->boolean};
    if (!alert.find("diff_id")->is_null()) row.diff_id = number_of(alert, "diff_id");
    rows.push_back(std::move(row));
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

std::vector<AlertRow> alerts_as_told(const Service& service, const std::string& text) {
  const std::string command = "collect alerts list ";
  const auto at = text.rfind(command);
  if (at == std::string::npos) throw std::runtime_error("no command in: " + text);
  std::istringstream line(text.substr(at + command.size()));
  std::vector<std::string> flags;
  for (std::string word; line >> word;) flags.push_back(word);
  return listed_alerts(service, flags);
}

bool wait_notified(const Service& service, std::size_t changes, milliseconds timeout) {
  return eventually(
      [&] { return service.metric("collect_changes_notified_total") == static_cast<double>(changes); },
      timeout);
}

Told told_by(const std::vector<WebhookMessage>& messages) {
  Told told;
  for (const WebhookMessage& message : messages) {
    const auto body = parsed(message.body);
    for (const json::Value& alert : body.root().find("alerts")->elements)
      told[{number_of(alert, "id"), text_of(alert, "status")}].insert(message.id);
  }
  return told;
}

std::set<News> news_of(const std::vector<AlertRow>& alerts) {
  std::set<News> news;
  for (const AlertRow& alert : alerts) {
    news.emplace(alert.id, "firing");
    if (alert.resolved) news.emplace(alert.id, "resolved");
  }
  return news;
}

bool wait_told(const WebhookReceiver& receiver, const std::set<News>& news, milliseconds timeout) {
  const auto give_up = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    auto messages = receiver.messages();
    std::erase_if(messages, [](const WebhookMessage& message) { return !message.taken; });
    const Told told = told_by(messages);
    if (std::all_of(news.begin(), news.end(), [&](const News& each) { return is_told(told, each); })) {
      // A double would come by itself soon.
      sleep_for(std::chrono::seconds(2));
      return true;
    }
    if (std::chrono::steady_clock::now() > give_up) return false;
    sleep_for(milliseconds(100));
  }
}

void expect_each_told_once(const WebhookReceiver& receiver, const std::set<News>& news) {
  const auto messages = receiver.messages();
  const Told told = told_by(messages);
  for (const WebhookMessage& message : messages) {
    std::size_t listed = parsed(message.body).root().find("alerts")->elements.size();
    std::set<std::int64_t> ids;
    for (const auto& [each, deliveries] : told_by({message})) ids.insert(each.first);
    EXPECT_EQ(ids.size(), listed) << "an alert twice in " << message.body;
  }
  std::vector<News> lost;
  std::vector<News> doubled;
  std::vector<News> strange;
  for (const News& each : news) {
    if (!is_told(told, each)) lost.push_back(each);
  }
  for (const auto& [each, deliveries] : told) {
    if (deliveries.size() > 1) doubled.push_back(each);
    if (!news.contains(each)) strange.push_back(each);
  }
  EXPECT_TRUE(lost.empty()) << "never told, " << described(lost);
  EXPECT_TRUE(doubled.empty()) << "told under more than one delivery id, " << described(doubled);
  EXPECT_TRUE(strange.empty()) << "told, but not stored, " << described(strange);
  for (const std::string& problem : receiver.problems()) ADD_FAILURE() << problem;
}

std::string config_with(const WebhookReceiver& receiver, const std::string& keys, const std::string& sections,
                        const std::string& timeout) {
  return sections + "notifications:\n  channels:\n    hook: { type: webhook, url: '" + receiver.url() +
         "', secret: '" + receiver.secret() + "', timeout: " + timeout + " }\n  default_channels: [hook]\n" +
         keys;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace collect::test
