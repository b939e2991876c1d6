// SPDX-License-Identifier: Apache-2.0
// Nothing lost, nothing doubled on the way from a change to a webhook: through kill -9 at any moment, and
// while the webhook is out of order. COLLECT_TEST_KILLS says how often it is killed (10), COLLECT_TEST_OUTAGE
// for how many seconds the webhook fails (15).
#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <random>

#include "journey/alerts_seen.h"
#include "journey/reporter.h"
#include "support/seed.h"

namespace collect::test {
namespace {

using std::chrono::steady_clock;
using Mood = WebhookReceiver::Mood;
using namespace std::chrono_literals;

constexpr std::size_t kSystems = 8;
constexpr int kOutage = 15;
// A channel that was away for long is asked again after five minutes and some.
constexpr auto kLongestPause = 7min;

// On, off, on, off: each report but the first is a change, and the inverse of the one before.
std::string switched(std::size_t step) {
  return labelled_inventory(step % 2 == 0 ? "on" : "off");
}

class AlertDelivery : public OnEachEngine {
 protected:
  AlertDelivery() {
    write_text(service_.folder() / "config.yml",
               config_with(receiver_,
                           kNothingHeldBack + "  rules:\n    - alert_type: any_change\n"
                                              "  pattern: { min_occurrences: 3, window_hours: 24 }\n",
                           "", "1s"));
    service_.start();
    for (std::size_t i = 0; i < kSystems; ++i)
      logins_.push_back(service_.new_system("Box " + std::to_string(i)));
  }

  void start_reports(std::uint64_t seed, milliseconds most_pause = 200ms) {
    for (const Login& login : logins_)
      switchers_.push_back(std::make_unique<Reporter>(service_, login, seed++, switched, most_pause));
  }
  // Every other time right after a message came: before its delivery is noted as sent, with some luck.
  void kill_at_some_moment(bool after_message) {
    const std::size_t seen = receiver_.count();
    if (after_message) {
      eventually([&] { return receiver_.count() > seen; }, 2s);
      service_.kill_hard();
    } else {
      sleep_for(milliseconds(std::uniform_int_distribution<int>(100, 700)(random_)));
      service_.kill_without_condemning();
    }
    service_.start();
  }
  void finish_reports() {
    for (const auto& switcher : switchers_) switcher->finish();
    for (const auto& switcher : switchers_) {
      ASSERT_EQ(switcher->problem(), "");
      switcher->appliance().wait_processed(switcher->receipts(), 2min);
      changes_ += switcher->receipts().size() - 1;
    }
    ASSERT_TRUE(wait_alerts(2min)) << "not every change became an alert";
  }
  // Until each change has its alert; counters of the process would only tell of the time since the last kill.
  bool wait_alerts(milliseconds timeout) {
    const auto give_up = steady_clock::now() + timeout;
    while (listed_alerts(service_, {"--type", "any_change"}).size() < changes_) {
      if (steady_clock::now() > give_up) return false;
      sleep_for(milliseconds(200));
    }
    return true;
  }
  // Each change is an alert, all but the last are resolved by the next one, and each system once flaps.
  void expect_alerts(const Reporter& switcher, const std::vector<AlertRow>& alerts, const Login& login) {
    std::map<std::int64_t, bool> resolved;
    std::size_t flapping = 0;
    for (const AlertRow& alert : alerts) {
      if (alert.system_key != login.key) continue;
      ASSERT_TRUE(alert.diff_id.has_value());
      if (alert.rule == "pattern") {
        ++flapping;
        EXPECT_FALSE(alert.resolved);
      } else {
        EXPECT_TRUE(resolved.emplace(*alert.diff_id, alert.resolved).second) << "two alerts of one change";
      }
    }
    const auto diffs = service_.diffs(login);
    ASSERT_EQ(diffs.size(), switcher.receipts().size() - 1);
    ASSERT_EQ(resolved.size(), diffs.size());
    for (const DiffRow& diff : diffs) {
      ASSERT_TRUE(resolved.contains(diff.id)) << diff.id;
      EXPECT_EQ(resolved[diff.id], diff.id != diffs.back().id)
          << login.key << " " << diff.id << ": only the last change stands";
    }
    EXPECT_EQ(flapping, diffs.size() >= 3 ? 1U : 0U);
  }
  void expect_all_told(milliseconds patience = 2min) {
    const auto alerts = listed_alerts(service_);
    for (std::size_t i = 0; i < kSystems; ++i) expect_alerts(*switchers_[i], alerts, logins_[i]);
    const auto news = news_of(alerts);
    EXPECT_TRUE(wait_told(receiver_, news, patience));
    // What was taken while the service was killed comes again when the claim of the dead one ends.
    const auto settled = [&] {
      sleep_for(milliseconds(200));
      return parsed(service_.cli_output({"alerts", "deliveries", "--state", "pending", "--json"}))
          .root()
          .elements.empty();
    };
    EXPECT_TRUE(eventually(settled, 1min));
    expect_each_told_once(receiver_, news);
    const auto deliveries = parsed(service_.cli_output({"alerts", "deliveries", "--json"}));
    std::size_t told = 0;
    for (const json::Value& delivery : deliveries.root().elements) {
      EXPECT_EQ(text_of(delivery, "state"), "sent");
      told += std::stoul(text_of(delivery, "notifications"));
    }
    EXPECT_EQ(told, news.size());
    std::cout << changes_ << " changes, " << alerts.size() << " alerts, " << news.size()
              << " notifications in " << deliveries.root().elements.size() << " deliveries, " << repeated()
              << " repeated\n";
  }
  [[nodiscard]] std::size_t repeated() const {
    std::set<std::string> ids;
    const auto messages = receiver_.messages();
    for (const WebhookMessage& message : messages) ids.insert(message.id);
    return messages.size() - ids.size();
  }

  WebhookReceiver receiver_{"a secret of thirty-two characters"};
  Service service_{GetParam()};
  std::vector<Login> logins_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<Reporter>> switchers_;
  std::size_t changes_ = 0;
};
COLLECT_ON_EACH_ENGINE(AlertDelivery);

TEST_P(AlertDelivery, SurvivesKills) {
  random_.seed(test_seed());
  start_reports(random_());
  for (int kill = 0; kill < number_given("COLLECT_TEST_KILLS", 10); ++kill)
    kill_at_some_moment(kill % 2 == 1);
  finish_reports();
  expect_all_told();
  EXPECT_EQ(service_.dead_letters(), 0U);
}

TEST_P(AlertDelivery, OutlastsAWebhookThatIsOutOfOrder) {
  const auto outage = std::chrono::seconds(number_given("COLLECT_TEST_OUTAGE", kOutage));
  // What comes of ten minutes has to stay readable for the test itself.
  start_reports(test_seed(), outage > 1min ? 1000ms : 200ms);
  ASSERT_TRUE(eventually([&] { return receiver_.count() >= 3; }));
  for (const Mood mood : {Mood::fails, Mood::hangs, Mood::refuses}) {
    receiver_.become(mood);
    sleep_for(outage / 3);
  }
  receiver_.become(Mood::takes);
  finish_reports();
  EXPECT_GE(service_.metric("collect_deliveries_total", {"outcome=\"failed\""}), 2);
  expect_all_told(kLongestPause);
  EXPECT_EQ(service_.dead_letters(), 0U);
}

}  // namespace
}  // namespace collect::test
