// SPDX-License-Identifier: Apache-2.0
#include "liveness/heartbeat_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "liveness/fake_liveness_store.h"

namespace collect::liveness {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const Time kStart{1'700'000'000s};

// A timeline in minutes after kStart; Collect ran until then without a break.
class HeartbeatMonitorTest : public testing::Test {
 protected:
  HeartbeatMonitorTest() { store.noted_run = kStart; }

  static Time minute(int m) { return kStart + std::chrono::minutes(m); }
  void heartbeat(const std::string& id, int m) {
    store.statuses.try_emplace(id, "unknown");
    store.last_heartbeat[id] = minute(m);
  }
  Transitions run(int m) { return monitor.run(minute(m)).value(); }
  // Every minute from one to the other.
  void run_through(int from, int to) {
    for (int m = from; m <= to; ++m) run(m);
  }

  FakeLivenessStore store;
  HeartbeatMonitor monitor{store, {}};
};

TEST_F(HeartbeatMonitorTest, AFirstHeartbeatMakesActive) {
  store.statuses["never"] = "unknown";
  heartbeat("a", 1);
  EXPECT_THAT(run(1).activated, ElementsAre(SystemId("a")));
  EXPECT_EQ(store.statuses["a"], "active");
  EXPECT_EQ(store.statuses["never"], "unknown");
  EXPECT_THAT(run(2).activated, IsEmpty());
}

TEST_F(HeartbeatMonitorTest, SilenceBeyondTheTimeoutMakesInactiveAndAHeartbeatActiveAgain) {
  heartbeat("a", 1);
  run_through(1, 10);
  EXPECT_THAT(run(11).deactivated, IsEmpty());  // ten minutes old is not older than ten minutes
  EXPECT_THAT(monitor.run(minute(11) + 1us)->deactivated, ElementsAre(SystemId("a")));
  EXPECT_THAT(run(12).deactivated, IsEmpty());
  heartbeat("a", 13);
  EXPECT_THAT(run(13).activated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, AfterADowntimeNobodyIsInactiveForOneTimeout) {
  heartbeat("back", 1);
  heartbeat("gone", 1);
  run(1);
  HeartbeatMonitor restarted(store, {});
  EXPECT_THAT(restarted.run(minute(60))->deactivated, IsEmpty());
  heartbeat("back", 65);
  for (int m = 61; m < 70; ++m) EXPECT_THAT(restarted.run(minute(m))->deactivated, IsEmpty());
  EXPECT_THAT(restarted.run(minute(70))->deactivated, ElementsAre(SystemId("gone")));
}

TEST_F(HeartbeatMonitorTest, DuringTheGraceSystemsStillBecomeActive) {
  store.noted_run.reset();
  heartbeat("a", 1);
  EXPECT_THAT(run(1).activated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, TheFirstRunEverBeginsWithGrace) {
  store.noted_run.reset();
  heartbeat("a", -600);
  store.statuses["a"] = "active";
  EXPECT_THAT(run(0).deactivated, IsEmpty());
  for (int m = 1; m < 10; ++m) EXPECT_THAT(run(m).deactivated, IsEmpty());
  EXPECT_THAT(run(10).deactivated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, ARestartDuringTheGraceBeginsItAgain) {
  heartbeat("a", 0);
  run(0);
  HeartbeatMonitor second(store, {});
  second.run(minute(60)).value();
  HeartbeatMonitor third(store, {});
  for (int m = 62; m < 72; ++m) EXPECT_THAT(third.run(minute(m))->deactivated, IsEmpty());
  EXPECT_THAT(third.run(minute(72))->deactivated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, ATakeoverWithoutAGapNeedsNoGrace) {
  heartbeat("a", 0);
  run_through(0, 10);
  HeartbeatMonitor other(store, {});
  EXPECT_THAT(other.run(minute(12))->deactivated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, AStoreThatWasAwayCountsAsDowntime) {
  heartbeat("a", 0);
  run_through(0, 5);
  store.failure = unavailable("away");
  for (int m = 6; m < 15; ++m) EXPECT_FALSE(monitor.run(minute(m)));
  store.failure.reset();
  for (int m = 15; m < 25; ++m) EXPECT_THAT(run(m).deactivated, IsEmpty());
  EXPECT_THAT(run(25).deactivated, ElementsAre(SystemId("a")));
}

TEST_F(HeartbeatMonitorTest, AClockPutBackBringsGraceNotAlarms) {
  store.noted_run = minute(600);
  heartbeat("a", -60);
  store.statuses["a"] = "active";
  EXPECT_THAT(run(1).deactivated, IsEmpty());
}

TEST_F(HeartbeatMonitorTest, ANoteThatFailsHidesNoTransition) {
  store.note_failure = unavailable("away");
  heartbeat("a", 1);
  EXPECT_THAT(run(1).activated, ElementsAre(SystemId("a")));
  run_through(2, 11);
  EXPECT_THAT(run(12).deactivated, ElementsAre(SystemId("a")));
}

}  // namespace
}  // namespace collect::liveness
