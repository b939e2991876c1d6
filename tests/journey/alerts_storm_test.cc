// SPDX-License-Identifier: Apache-2.0
// Very many systems of one organization change the same within a minute: all of it is stored, people get a
// few messages that they can read. COLLECT_STORM says how many systems (300) and, when it is given, the test
// waits until all of it is told in its own time: on a slow machine some minutes.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <sstream>

#include "journey/alerts_seen.h"
#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr int kSenders = 4;
constexpr std::size_t kGroup = 10;  // max_group_size
constexpr std::size_t kHour = 50;   // max_notifications_per_hour
constexpr std::size_t kReadable = 4096;

std::string firewall(const std::string& version) {
  return R"({"uuid":"6f9a2c1e-0b7d-4c55-9d43-2f1f5b1f0a11","installation":"nethsecurity","facts":{"distro":)"
         R"({"name":"NethSecurity","version":")" +
         version + R"("},"fqdn":"fw.example.org"}})";
}

// Of one process, in seconds.
double cpu_of(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Storm : public OnEachEngine {
 protected:
  Storm() {
    if (given_ != nullptr) systems_ = std::strtoul(given_, nullptr, 10);
    write_config("  grouping: { time_window_minutes: 30, max_group_size: " + std::to_string(kGroup) +
                 " }\n  rate_limits: { max_notifications_per_hour: " + std::to_string(kHour) +
                 ", max_critical_per_hour: 10 }\n");
    service_.start();
    for (std::size_t i = 0; i < systems_; ++i)
      boxes_.push_back(
          std::make_unique<Appliance>(service_, service_.new_system("Firewall " + std::to_string(i))));
  }
  void write_config(const std::string& keys) {
    write_text(service_.folder() / "config.yml", config_with(receiver_, keys));
  }
  // All of them, some at a time; their receipts.
  std::vector<std::string> report(const std::string& body) {
    const auto give_up = steady_clock::now() + 5min;
    std::vector<std::string> receipts(boxes_.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::future<void>> senders;
    for (int i = 0; i < kSenders; ++i) {
      senders.push_back(std::async(std::launch::async, [&] {
        for (std::size_t box = 0; (box = next++) < boxes_.size();) {
          receipts[box] = boxes_[box]->insist(body, give_up);
          boxes_[box]->http().close();
        }
      }));
    }
    for (auto& sender : senders) sender.get();
    return receipts;
  }

  // A message of the storm is one that people can read; how many alerts it tells of.
  std::size_t check(const WebhookMessage& message) {
    const auto document = parsed(message.body);
    const json::Value& body = document.root();
    const std::string text = text_of(body, "text");
    const std::size_t listed = body.find("alerts")->elements.size();
    const std::size_t more = std::stoul(text_of(body, "more"));
    const std::size_t firing = std::stoul(text_of(*body.find("counts"), "firing"));
    EXPECT_LE(text.size(), kReadable);
    EXPECT_LE(listed, kGroup);
    EXPECT_EQ(listed + more, firing);
    EXPECT_EQ(text_of(*body.find("counts"), "systems"), std::to_string(firing));
    EXPECT_EQ(text_of(*body.find("counts")->find("alert_type"), "os_version_changed"),
              std::to_string(firing));
    if (firing > 1) {
      EXPECT_EQ(text_of(body, "kind"), "summary");
    }
    EXPECT_THAT(text, HasSubstr(std::to_string(firing) + " alert"));
    EXPECT_THAT(text, HasSubstr("changed from 8.5 to 8.6"));
    if (more > 0) {
      EXPECT_GE(alerts_as_told(service_, text).size(), firing) << text;
    }
    return firing;
  }
  // How many alerts the messages tell of so far.
  [[nodiscard]] std::size_t told_of() const {
    std::size_t told = 0;
    for (const WebhookMessage& message : receiver_.messages())
      told += std::stoul(text_of(*parsed(message.body).root().find("counts"), "firing"));
    return told;
  }
  std::size_t check_messages() {
    std::size_t told = 0;
    for (const WebhookMessage& message : receiver_.messages()) told += check(message);
    return told;
  }

  const char* given_ = std::getenv("COLLECT_STORM");
  std::size_t systems_ = 300;
  WebhookReceiver receiver_{"a secret of thirty-two characters"};
  Service service_{GetParam()};
  std::vector<std::unique_ptr<Appliance>> boxes_;
};
COLLECT_ON_EACH_ENGINE(Storm);

TEST_P(Storm, IsStoredAsAWholeAndToldInAFewMessages) {
  const auto receipts = report(firewall("8.5"));
  for (std::size_t i = 0; i < systems_; ++i) {
    boxes_[i]->wait_processed({receipts[i]});
    boxes_[i]->http().close();
  }
  const double cpu_before = cpu_of(service_.pid());
  const auto begin = steady_clock::now();
  report(firewall("8.6"));
  ASSERT_TRUE(wait_notified(service_, systems_, 5min));
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  // Some were told on their own before the others were a crowd; that is gathered for a minute at most.
  ASSERT_TRUE(eventually([&] { return told_of() > kGroup; }, 90s));

  const auto alerts = listed_alerts(service_);
  ASSERT_EQ(alerts.size(), systems_);
  for (const AlertRow& alert : alerts) EXPECT_EQ(alert.type, "os_version_changed");
  const std::size_t soon = receiver_.count();
  const std::size_t told = check_messages();
  EXPECT_GE(soon, 1U);
  EXPECT_LE(soon, kGroup + 1);
  std::cout << systems_ << " systems posted and stored as alerts within " << took.count() << " s, "
            << cpu_of(service_.pid()) - cpu_before << " s of CPU; " << soon << " messages told of " << told
            << ", " << systems_ - told << " wait\n";
  EXPECT_LE(told, systems_);
  EXPECT_EQ(text_of(parsed(receiver_.messages()[soon - 1].body).root(), "kind"), "summary");

  if (given_ != nullptr) {
    for (int waited = 0; waited < 420 && told_of() < systems_; ++waited) sleep_for(1s);
    EXPECT_EQ(check_messages(), systems_);
    EXPECT_LE(receiver_.count(), kGroup + 2) << "a summary of most, and one of those that came late";
    EXPECT_LE(receiver_.count(), kHour);
    std::cout << receiver_.count() << " messages in all\n" << receiver_.messages().back().body << '\n';
    return;
  }
  // What is held back is still there: without limits it goes out at once, and each once.
  report(firewall("8.7"));
  ASSERT_TRUE(wait_notified(service_, 2 * systems_, 5min));
  EXPECT_LE(told_of(), systems_ + kGroup) << "the next summary waits";
  write_config(kNothingHeldBack);
  service_.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return told_of() >= 2 * systems_; }, 1min));
  const auto messages = receiver_.messages();
  EXPECT_EQ(told_of(), 2 * systems_);
  for (const auto& [news, ids] : told_by(messages)) EXPECT_EQ(ids.size(), 1U) << news.first;
  for (const std::string& problem : receiver_.problems()) ADD_FAILURE() << problem;
}

}  // namespace
}  // namespace collect::test
