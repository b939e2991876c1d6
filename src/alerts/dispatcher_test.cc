// SPDX-License-Identifier: Apache-2.0
// The threads: real ones, with waits until something holds and no sleeps.
#include "alerts/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "alerts/fake_notification_store.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

class NotingChannel final : public Channel {
 public:
  NotingChannel(std::string url, std::atomic<int>& sends) : url_(std::move(url)), sends_(sends) {}
  Result<std::string> send(const Delivery&) override {
    ++sends_;
    return url_;
  }

 private:
  std::string url_;
  std::atomic<int>& sends_;
};

class DispatcherTest : public testing::Test {
 protected:
  Dispatcher::MakeChannel make() {
    return [this](const ChannelConfig& config, std::size_t) -> std::unique_ptr<Channel> {
      ++made;
      return std::make_unique<NotingChannel>(std::get<WebhookChannelConfig>(config).url, sends);
    };
  }
  static DispatchRules rules(const std::map<std::string, std::string>& urls) {
    DispatchRules rules;
    for (const auto& [name, url] : urls) rules.channels[name] = WebhookChannelConfig{.url = url};
    return rules;
  }
  std::size_t sent(const std::string& channel) {
    std::size_t count = 0;
    for (const auto& row : store.rows()) {
      if (row.delivery.channel == channel && row.state == DeliveryState::sent) ++count;
    }
    return count;
  }

  SystemClock clock;
  FakeNotificationStore store;
  std::atomic<int> made = 0;
  std::atomic<int> sends = 0;
};

TEST_F(DispatcherTest, EachChannelOfTheRulesIsServed) {
  store.add_waiting("a", "s1", clock.now());
  store.add_waiting("b", "s1", clock.now());
  Dispatcher dispatcher(store, make(), clock);
  dispatcher.apply(rules({{"a", "http://a"}, {"b", "http://b"}}));
  EXPECT_TRUE(eventually([&] { return sent("a") == 1 && sent("b") == 1; }));
  store.add_waiting("a", "s2", clock.now());
  dispatcher.wake();
  EXPECT_TRUE(eventually([&] { return sent("a") == 2; }));
  EXPECT_TRUE(eventually([&] {
    const auto counts = dispatcher.counters();
    return counts.size() == 2 && counts[0].channel == "a" && counts[0].sent == 2 && counts[1].sent == 1;
  }));
}

TEST_F(DispatcherTest, NewRulesAddRemoveAndChangeChannelsAndLeaveTheOthersAlone) {
  Dispatcher dispatcher(store, make(), clock);
  dispatcher.apply(rules({{"stays", "http://a"}, {"changes", "http://b"}, {"goes", "http://c"}}));
  EXPECT_EQ(made, 3);
  dispatcher.apply(rules({{"stays", "http://a"}, {"changes", "http://other"}, {"comes", "http://d"}}));
  EXPECT_EQ(made, 5);
  for (const auto* channel : {"stays", "changes", "comes", "goes"})
    store.add_waiting(channel, "s1", clock.now());
  EXPECT_TRUE(eventually([&] { return sent("stays") == 1 && sent("changes") == 1 && sent("comes") == 1; }));
  EXPECT_EQ(sends, 3);
  EXPECT_EQ(sent("goes"), 0U);
  dispatcher.apply(rules({{"goes", "http://c"}}));
  EXPECT_TRUE(eventually([&] { return sent("goes") == 1; }));
}

TEST_F(DispatcherTest, OtherLimitsAreOtherRules) {
  Dispatcher dispatcher(store, make(), clock);
  auto first = rules({{"a", "http://a"}});
  dispatcher.apply(first);
  dispatcher.apply(first);
  EXPECT_EQ(made, 1);
  first.grouping.max_group_size = 3;
  dispatcher.apply(first);
  EXPECT_EQ(made, 2);
}

TEST_F(DispatcherTest, WhatWaitsForAChannelThatIsGoneIsSaidOnce) {
  store.add_waiting("gone", "s1", clock.now());
  store.add_waiting("gone", "s2", clock.now());
  testing::internal::CaptureStderr();
  {
    Dispatcher dispatcher(store, make(), clock);
    for (int i = 0; i < 3; ++i) {
      dispatcher.apply(rules({{"a", "http://a"}}));
      std::this_thread::sleep_for(20ms);
    }
  }
  const std::string said = testing::internal::GetCapturedStderr();
  const auto first = said.find("channel_not_configured");
  ASSERT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("channel_not_configured", first + 1), std::string::npos) << said;
  EXPECT_THAT(said, HasSubstr("\"channel\":\"gone\""));
  EXPECT_THAT(said, HasSubstr("\"waiting\":2"));
  EXPECT_EQ(sends, 0);
}

TEST_F(DispatcherTest, AfterAStopNothingIsSent) {
  Dispatcher dispatcher(store, make(), clock);
  dispatcher.apply(rules({{"a", "http://a"}}));
  dispatcher.request_stop();
  dispatcher.apply(rules({{"b", "http://b"}}));
  store.add_waiting("b", "s1", clock.now());
  dispatcher.wake();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace collect::alerts
