// SPDX-License-Identifier: Apache-2.0
// The discipline on a timeline of its own: each step works, then lets the time pass that work() asked for.
#include "alerts/channel_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "alerts/fake_notification_store.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::ElementsAre;

class ScriptedChannel final : public Channel {
 public:
  std::optional<Failure> failure;  // of every send
  std::set<std::string> poison;    // these deliveries alone are refused with `poison_failure`
  Failure poison_failure = invalid("400");
  std::function<void()> on_send = [] {};
  std::vector<std::string> tried;
  std::vector<std::string> sent;

  Result<std::string> send(const Delivery& delivery) override {
    tried.push_back(delivery.id);
    on_send();
    if (failure) return *failure;
    if (poison.contains(delivery.id)) return poison_failure;
    sent.push_back(delivery.id);
    return std::string("taken");
  }
};

class ChannelSenderTest : public testing::Test {
 protected:
  ChannelSenderTest() {
    auto owned = std::make_unique<ScriptedChannel>();
    channel = owned.get();
    sender =
        std::make_unique<ChannelSender>("here", std::move(owned), SenderOptions{}, store, clock, counters);
  }

  // Until that time has passed.
  void run_for(Duration time) {
    const Time end = clock.now() + time;
    while (clock.now() < end) {
      const Duration pause = sender->work(stop.get_token());
      ASSERT_GT(pause, Duration::zero());
      clock.set(std::min(end, clock.now() + pause));
    }
  }
  void deliveries(int count) {
    for (int i = 0; i < count; ++i) store.add_delivery("here", "d" + std::to_string(i), clock.now());
  }
  std::size_t in_state(DeliveryState state) {
    std::size_t count = 0;
    for (const auto& row : store.rows()) count += row.state == state ? 1 : 0;
    return count;
  }

  ManualClock clock{kTestTime};
  FakeNotificationStore store;
  ChannelCounters counters;
  std::stop_source stop;
  ScriptedChannel* channel = nullptr;
  std::unique_ptr<ChannelSender> sender;
};

TEST_F(ChannelSenderTest, PlansAndSendsWhatWaits) {
  store.add_waiting("here", "a", clock.now());
  store.add_waiting("here", "b", clock.now());
  store.add_waiting("elsewhere", "c", clock.now());
  EXPECT_EQ(sender->work(stop.get_token()), ChannelSender::kPoll);
  EXPECT_EQ(channel->sent.size(), 2U);
  EXPECT_EQ(in_state(DeliveryState::sent), 2U);
  EXPECT_EQ(counters.sent, 2U);
  run_for(10min);
  EXPECT_EQ(channel->sent.size(), 2U);
}

TEST_F(ChannelSenderTest, AChannelThatIsDownIsAskedNoMoreThanItsPausesAllow) {
  channel->failure = unavailable("refused");
  deliveries(50);
  run_for(10min);
  // 5, 10, 20, 40, 80, 160 and 300 s, each half as long at least: of fifty deliveries each is not tried anew.
  EXPECT_GE(channel->tried.size(), 6U);
  EXPECT_LE(channel->tried.size(), 9U);
  EXPECT_EQ(in_state(DeliveryState::pending), 50U);
  EXPECT_EQ(counters.failed, channel->tried.size());
  channel->failure.reset();
  run_for(11min);
  EXPECT_EQ(in_state(DeliveryState::sent), 50U);
  EXPECT_EQ(std::set(channel->sent.begin(), channel->sent.end()).size(), 50U);
  EXPECT_EQ(channel->sent.size(), 50U);
  EXPECT_EQ(counters.dead, 0U);
}

TEST_F(ChannelSenderTest, WhileTheChannelIsDownNothingNewIsPlanned) {
  channel->failure = unavailable("refused");
  deliveries(1);
  run_for(20s);
  const int plans = store.plans();
  for (int i = 0; i < 20; ++i) store.add_waiting("here", "s" + std::to_string(i), clock.now());
  run_for(10min);
  EXPECT_EQ(store.plans(), plans);
  channel->failure.reset();
  run_for(6min);
  // What piled up is one summary.
  EXPECT_EQ(store.rows().size(), 2U);
  EXPECT_TRUE(store.rows().back().delivery.summary);
  EXPECT_EQ(store.rows().back().delivery.items.size(), 20U);
  EXPECT_EQ(in_state(DeliveryState::sent), 2U);
}

TEST_F(ChannelSenderTest, OneDeliveryThatThePeerCannotTakeHoldsUpNoOther) {
  channel->poison = {"d0"};
  channel->poison_failure = unavailable("HTTP 500");
  deliveries(10);
  run_for(1min);
  EXPECT_EQ(in_state(DeliveryState::sent), 9U);
  run_for(3h);
  // Of a single delivery nobody can tell whether the peer is away: the next one waits a pause at most.
  store.add_delivery("here", "later", clock.now());
  run_for(ChannelSender::kMostPause);
  EXPECT_EQ(channel->sent.back(), "later");
  EXPECT_EQ(store.row("d0").state, DeliveryState::pending);
}

TEST_F(ChannelSenderTest, ADeliveryIsGivenUpAfterADay) {
  channel->failure = unavailable("HTTP 503");
  deliveries(1);
  run_for(23h);
  EXPECT_EQ(store.row("d0").state, DeliveryState::pending);
  EXPECT_EQ(store.row("d0").error, "HTTP 503");
  run_for(2h);
  EXPECT_EQ(store.row("d0").state, DeliveryState::dead);
  EXPECT_EQ(store.row("d0").error, "HTTP 503");
  EXPECT_EQ(counters.dead, 1U);
  // At most 5 min apart after the first steps.
  EXPECT_GE(channel->tried.size(), 24U * 60 / 6);
}

TEST_F(ChannelSenderTest, AnOldOneThatWasGivenAnotherChanceHasSome) {
  store.add_delivery("here", "old", clock.now() - 48h);
  channel->failure = unavailable("HTTP 503");
  run_for(30s);
  EXPECT_EQ(store.row("old").state, DeliveryState::pending);
  run_for(1h);
  EXPECT_EQ(store.row("old").state, DeliveryState::dead);
  EXPECT_EQ(channel->tried.size(), 5U);
}

TEST_F(ChannelSenderTest, WhatIsRefusedIsTriedFiveTimesAndTheOthersGoOn) {
  channel->poison = {"d1"};
  deliveries(3);
  sender->work(stop.get_token());
  EXPECT_THAT(channel->sent, ElementsAre("d0", "d2"));
  run_for(10min);
  EXPECT_EQ(std::count(channel->tried.begin(), channel->tried.end(), "d1"), 5);
  EXPECT_EQ(store.row("d1").state, DeliveryState::dead);
  EXPECT_EQ(store.row("d1").error, "400");
  EXPECT_EQ(counters.dead, 1U);
}

TEST_F(ChannelSenderTest, AnExceptionIsARefusalAndStopsNothing) {
  channel->on_send = [this] {
    if (channel->tried.back() == "d0") throw std::runtime_error("a bug");
  };
  deliveries(2);
  run_for(10min);
  EXPECT_THAT(channel->sent, ElementsAre("d1"));
  EXPECT_EQ(store.row("d0").state, DeliveryState::dead);
  EXPECT_EQ(store.row("d0").error, "a bug");
}

TEST_F(ChannelSenderTest, AStoreThatIsAwayIsWaitedFor) {
  deliveries(1);
  store.fail_with(unavailable("no database"));
  run_for(5min);
  EXPECT_TRUE(channel->tried.empty());
  store.fail_with(std::nullopt);
  run_for(31s);
  EXPECT_THAT(channel->sent, ElementsAre("d0"));
}

TEST_F(ChannelSenderTest, WhatWasSentWhileTheStoreWentAwayIsNotSentAgain) {
  channel->on_send = [this] { store.fail_finish_with(unavailable("no database")); };
  deliveries(2);
  run_for(10min);
  EXPECT_THAT(channel->sent, ElementsAre("d0"));
  EXPECT_EQ(store.row("d0").state, DeliveryState::pending);
  channel->on_send = [] {};
  store.fail_finish_with(std::nullopt);
  run_for(31s);
  EXPECT_THAT(channel->sent, ElementsAre("d0", "d1"));
  EXPECT_EQ(in_state(DeliveryState::sent), 2U);
}

TEST_F(ChannelSenderTest, AStopEndsAfterTheDeliveryInHandAndBooksIt) {
  channel->on_send = [this] { stop.request_stop(); };
  deliveries(3);
  sender->work(stop.get_token());
  EXPECT_THAT(channel->sent, ElementsAre("d0"));
  EXPECT_EQ(store.row("d0").state, DeliveryState::sent);
  EXPECT_FALSE(store.row("d1").claimed_until.has_value());
}

TEST_F(ChannelSenderTest, ALeaseOutlastsTheSend) {
  deliveries(1);
  std::optional<Time> until;
  channel->on_send = [&] { until = store.row("d0").claimed_until; };
  sender->work(stop.get_token());
  EXPECT_EQ(until, clock.now() + SenderOptions{}.lease);
}

TEST_F(ChannelSenderTest, AClockThatIsSetBackDoesNotSilenceAChannel) {
  channel->failure = unavailable("refused");
  deliveries(1);
  run_for(1min);
  channel->failure.reset();
  clock.set(clock.now() - 24h);
  store.add_delivery("here", "new", clock.now());
  run_for(6min);
  EXPECT_THAT(channel->sent, testing::Contains("new"));
}

}  // namespace
}  // namespace collect::alerts
