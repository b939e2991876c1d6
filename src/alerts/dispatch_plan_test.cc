// SPDX-License-Identifier: Apache-2.0
#include "alerts/dispatch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace collect::alerts {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kStart{seconds{1'800'000'000}};

// A channel's table over time: notifications come in, plans take them out.
class DispatchPlan : public testing::Test {
 protected:
  void comes(const std::string& system, bool critical = false, const std::string& organization = "org") {
    state_.waiting.push_back(
        {NotificationId{++last_id_}, SystemId(system), OrganizationId(organization), critical, now_});
  }

  // What goes out now, as "system:ids", "summary:ids" with a ! where critical; planned ones are remembered.
  std::vector<std::string> plan() {
    DispatchState seen = state_;
    std::erase_if(seen.recent,
                  [this](const Recent& recent) { return recent.at < now_ - recent_span(grouping_); });
    const auto planned = plan_deliveries(seen, grouping_, limits_, now_,
                                         [this] { return "delivery-" + std::to_string(++last_delivery_); });
    std::vector<std::string> told;
    for (const NewDelivery& delivery : planned) {
      EXPECT_THAT(delivery.notifications, testing::Not(IsEmpty()));
      EXPECT_TRUE(delivery_ids_.insert(delivery.id).second) << delivery.id << " was given twice";
      std::string text = (delivery.system_id ? delivery.system_id->text() : "summary") +
                         (delivery.critical ? "!" : "") + ":";
      for (const NotificationId id : delivery.notifications) {
        text += " " + std::to_string(static_cast<std::int64_t>(id));
        EXPECT_EQ(std::erase_if(state_.waiting, [&](const Waiting& each) { return each.id == id; }), 1U)
            << "told twice, or never waited: " << text;
      }
      told.push_back(text);
      state_.recent.push_back({delivery.organization_id, delivery.system_id, delivery.critical, now_});
    }
    return told;
  }

  // The same, once a crowd was gathered.
  std::vector<std::string> plan_gathered() {
    EXPECT_THAT(plan(), IsEmpty());
    after(kGatherQuiet);
    return plan();
  }

  void after(Duration time) { now_ += time; }

  [[nodiscard]] std::int64_t most_in_an_hour(bool critical) const {
    std::int64_t most = 0;
    for (const Recent& last : state_.recent) {
      most = std::max<std::int64_t>(
          most, std::count_if(state_.recent.begin(), state_.recent.end(), [&](const Recent& each) {
            return each.critical == critical && each.at <= last.at && each.at > last.at - hours(1);
          }));
    }
    return most;
  }

  Grouping grouping_{.window = minutes(30), .max_group_size = 3};
  RateLimits limits_{.max_notifications_per_hour = 24, .max_critical_per_hour = 2};
  Time now_ = kStart;
  DispatchState state_;
  std::int64_t last_id_ = 0;
  int last_delivery_ = 0;
  std::set<std::string> delivery_ids_;
};

TEST_F(DispatchPlan, WhatIsToldOfTheWholeFleetIsOneSummary) {
  comes("a", true, "*");
  comes("b", true, "*");
  comes("c", true);
  EXPECT_THAT(plan(), ElementsAre("c!: 3"));
  after(kGatherQuiet);
  EXPECT_THAT(plan(), ElementsAre("summary!: 1 2"));
  after(minutes(1));
  comes("d", true, "*");
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(60));
  EXPECT_THAT(plan(), ElementsAre("summary!: 4"));
}

TEST_F(DispatchPlan, ALoneAlertIsToldAtOnce) {
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1"));
  EXPECT_THAT(plan(), IsEmpty());
}

TEST_F(DispatchPlan, WhatComesTogetherGoesTogether) {
  comes("a");
  comes("b");
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1 3", "b: 2"));
}

TEST_F(DispatchPlan, WhatFollowsWaitsForTheEndOfTheWindow) {
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1"));
  after(minutes(1));
  comes("a");
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(28));
  comes("a");
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(1));
  EXPECT_THAT(plan(), ElementsAre("a: 2 3"));
  after(minutes(29));
  comes("a");
  EXPECT_THAT(plan(), IsEmpty()) << "the second one began a window too";
  after(minutes(1));
  EXPECT_THAT(plan(), ElementsAre("a: 4"));
}

TEST_F(DispatchPlan, AnotherSystemsWindowHoldsNobody) {
  comes("a");
  plan();
  after(seconds(1));
  comes("a");
  comes("b");
  EXPECT_THAT(plan(), ElementsAre("b: 3"));
}

TEST_F(DispatchPlan, WithoutAWindowNothingIsGrouped) {
  grouping_.window = Duration::zero();
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1"));
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 2"));
  after(seconds(1));
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 3"));
}

TEST_F(DispatchPlan, MoreSystemsThanAGroupAreASummary) {
  for (const char* system : {"a", "b", "c"}) comes(system);
  EXPECT_THAT(plan(), ElementsAre("a: 1", "b: 2", "c: 3")) << "as many as a group still go alone";
  now_ += hours(2);
  for (const char* system : {"a", "b", "c", "d"}) comes(system);
  comes("b");
  EXPECT_THAT(plan_gathered(), ElementsAre("summary: 4 5 8 6 7"));
}

TEST_F(DispatchPlan, ACrowdIsGatheredUntilNobodyJoinsIt) {
  for (int i = 0; i < 4; ++i) comes("s" + std::to_string(i));
  for (int i = 4; i < 12; ++i) {
    EXPECT_THAT(plan(), IsEmpty());
    after(seconds(2));
    comes("s" + std::to_string(i));
  }
  after(kGatherQuiet - seconds(1));
  EXPECT_THAT(plan(), IsEmpty());
  after(seconds(1));
  EXPECT_THAT(plan(), ElementsAre("summary: 1 2 3 4 5 6 7 8 9 10 11 12"));
}

TEST_F(DispatchPlan, ACrowdThatGoesOnGrowingWaitsAMinute) {
  for (int i = 0; i < 200; ++i) {
    comes("s" + std::to_string(i));
    const auto told = plan();
    if (now_ < kStart + kGatherAtMost) {
      EXPECT_EQ(told.size(), i < 3 ? 1U : 0U);
    }
    if (!told.empty() && i >= 3) break;
    after(seconds(1));
  }
  EXPECT_EQ(now_, kStart + kGatherAtMost + seconds(3)) << "the first three went alone";
  EXPECT_THAT(state_.waiting, IsEmpty());
}

TEST_F(DispatchPlan, TheEndOfAWindowIsNoLongWait) {
  comes("a");
  plan();
  after(minutes(1));
  comes("a");
  now_ = kStart + minutes(30);
  for (const char* system : {"b", "c", "d"}) comes(system);
  EXPECT_THAT(plan(), IsEmpty()) << "a is due as long as the others";
  after(kGatherQuiet);
  EXPECT_THAT(plan(), ElementsAre("summary: 2 3 4 5"));
}

TEST_F(DispatchPlan, ACrowdThatTricklesInIsACrowdToo) {
  for (const char* system : {"a", "b", "c"}) {
    comes(system);
    EXPECT_THAT(plan(), SizeIs(1));
    after(seconds(20));
  }
  comes("d");
  EXPECT_THAT(plan_gathered(), ElementsAre("summary: 4"));
  for (const char* system : {"e", "f", "g"}) {
    after(seconds(20));
    comes(system);
    EXPECT_THAT(plan(), IsEmpty()) << "the next summary waits";
  }
  after(kSummaryPause - seconds(60));
  EXPECT_THAT(plan(), ElementsAre("e: 5", "f: 6", "g: 7")) << "three in five minutes are no crowd";
}

TEST_F(DispatchPlan, OneSystemThatIsToldOfAgainAndAgainIsNoCrowd) {
  grouping_.window = Duration::zero();
  for (int i = 1; i <= 8; ++i) {
    comes("a");
    EXPECT_THAT(plan(), ElementsAre("a: " + std::to_string(i)));
    after(seconds(5));
  }
  comes("b");
  EXPECT_THAT(plan(), ElementsAre("b: 9")) << "it holds up no other system's";
}

TEST_F(DispatchPlan, TheNextSummaryWaits) {
  for (const char* system : {"a", "b", "c", "d"}) comes(system);
  EXPECT_THAT(plan_gathered(), ElementsAre("summary: 1 2 3 4"));
  after(kSummaryPause - kGatherQuiet);
  for (const char* system : {"e", "f", "g", "h"}) comes(system);
  after(kGatherQuiet - seconds(1));
  EXPECT_THAT(plan(), IsEmpty());
  after(seconds(1));
  EXPECT_THAT(plan(), ElementsAre("summary: 5 6 7 8"));
}

TEST_F(DispatchPlan, ASummaryHoldsNoLoneAlertAfterIt) {
  for (const char* system : {"a", "b", "c", "d"}) comes(system);
  EXPECT_THAT(plan_gathered(), SizeIs(1));
  after(seconds(1));
  comes("e");
  EXPECT_THAT(plan(), ElementsAre("e: 5"));
}

TEST_F(DispatchPlan, HalfOfALowLimitIsKeptForSummaries) {
  limits_.max_notifications_per_hour = 4;
  for (const char* system : {"a", "b"}) {
    comes(system);
    EXPECT_THAT(plan(), SizeIs(1));
    after(minutes(6));
  }
  comes("c");
  EXPECT_THAT(plan_gathered(), ElementsAre("summary: 3")) << "a lone alert is told soon nevertheless";
  after(minutes(6));
  comes("d");
  comes("e");
  EXPECT_THAT(plan(), IsEmpty()) << "two summaries an hour are half an hour apart";
  after(minutes(24) - seconds(1));
  EXPECT_THAT(plan(), IsEmpty());
  after(seconds(1));
  EXPECT_THAT(plan(), ElementsAre("summary: 4 5"));
  after(minutes(6));
  comes("f");
  EXPECT_THAT(plan(), IsEmpty()) << "four went out within the hour";
  now_ = kStart + hours(1);
  EXPECT_THAT(plan(), ElementsAre("f: 6"));
}

TEST_F(DispatchPlan, WithOneAnHourTheOthersWaitForTheNext) {
  limits_.max_notifications_per_hour = 1;
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1"));
  after(minutes(59));
  comes("a");
  comes("b");
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(1));
  EXPECT_THAT(plan(), ElementsAre("summary: 2 3"));
  after(minutes(59));
  comes("c");
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(1));
  EXPECT_THAT(plan(), ElementsAre("c: 4"));
}

TEST_F(DispatchPlan, AStormOfOthersDelaysNothingCritical) {
  for (int i = 0; i < 200; ++i) comes("storm" + std::to_string(i));
  EXPECT_THAT(plan_gathered(), SizeIs(1));
  for (int minute = 0; minute < 30; ++minute) {
    after(minutes(1));
    for (int i = 0; i < 20; ++i) comes("more" + std::to_string(minute) + "-" + std::to_string(i));
    plan();
  }
  comes("storm7", true);
  const auto told = plan();
  ASSERT_THAT(told, testing::Not(IsEmpty()));
  EXPECT_EQ(told.front(), "storm7!: " + std::to_string(last_id_));
}

TEST_F(DispatchPlan, CriticalFollowsAnOrdinaryOneAtOnceButNotACriticalOne) {
  limits_.max_critical_per_hour = 6;
  comes("a");
  EXPECT_THAT(plan(), ElementsAre("a: 1"));
  after(seconds(1));
  comes("a", true);
  EXPECT_THAT(plan(), ElementsAre("a!: 2"));
  after(seconds(1));
  comes("a", true);
  EXPECT_THAT(plan(), IsEmpty());
  after(minutes(30));
  EXPECT_THAT(plan(), ElementsAre("a!: 3"));
}

TEST_F(DispatchPlan, CriticalTakesAlongWhatElseWaitsAboutItsSystem) {
  limits_.max_critical_per_hour = 6;
  comes("a");
  comes("a", true);
  comes("b");
  EXPECT_THAT(plan(), ElementsAre("a!: 1 2", "b: 3"));
  after(seconds(1));
  comes("a");
  EXPECT_THAT(plan(), IsEmpty()) << "one notification per system and window";
  after(seconds(1));
  comes("c", true);
  EXPECT_THAT(plan(), ElementsAre("c!: 5"));
}

TEST_F(DispatchPlan, CriticalHasALimitOfItsOwn) {
  comes("a", true);
  comes("b", true);
  EXPECT_THAT(plan_gathered(), ElementsAre("summary!: 1 2")) << "one of two an hour is kept for a summary";
  after(minutes(6));
  comes("c", true);
  EXPECT_THAT(plan(), ElementsAre("c!: 3"));
  after(minutes(6));
  comes("d", true);
  comes("e");
  EXPECT_THAT(plan(), ElementsAre("e: 5")) << "critical waits, its limit holds; the others go on";
  now_ = kStart + hours(1) + kGatherQuiet;
  EXPECT_THAT(plan(), ElementsAre("summary!: 4"));
}

TEST_F(DispatchPlan, OrganizationsDoNotShareLimitsOrSummaries) {
  for (const char* system : {"a", "b", "c", "d"}) comes(system, false, "one");
  comes("x", false, "two");
  comes("y", true, "two");
  EXPECT_THAT(plan(), ElementsAre("y!: 6", "x: 5"));
  after(kGatherQuiet);
  EXPECT_THAT(plan(), ElementsAre("summary: 1 2 3 4"));
  limits_.max_notifications_per_hour = 1;
  after(minutes(10));
  comes("e", false, "one");
  comes("z", false, "three");
  EXPECT_THAT(plan(), ElementsAre("z: 8"));
}

TEST_F(DispatchPlan, AStormIsToldInFewMessagesWithinTheLimitsAndNothingIsLost) {
  grouping_ = {};
  limits_ = {};
  std::size_t told = 0;
  std::size_t messages = 0;
  const auto tick = [&](Duration step) {
    for (const std::string& delivery : plan()) {
      ++messages;
      told += static_cast<std::size_t>(std::count(delivery.begin(), delivery.end(), ' '));
    }
    after(step);
  };
  for (int i = 0; i < 1000; ++i) {  // within a minute, a plan each second
    comes("system" + std::to_string(i), i % 10 == 0);
    if (i % 17 == 16) tick(seconds(1));
  }
  Time finished{};
  for (int i = 0; i < 30 * 60; ++i) {
    tick(seconds(1));
    if (finished == Time{} && state_.waiting.empty()) finished = now_;
  }
  EXPECT_EQ(told, 1000U);
  EXPECT_EQ(state_.waiting.size(), 0U);
  EXPECT_NE(finished, Time{});
  EXPECT_LE(messages, 10U + 1U + 5U + 1U) << "some on their own, then one summary each";
  EXPECT_LE(most_in_an_hour(true), limits_.max_critical_per_hour);
  EXPECT_LT(finished, kStart + minutes(15)) << "nobody waits for the hour to pass";
}

TEST_F(DispatchPlan, AStormThatGoesOnStaysWithinTheLimitsAndIsToldInTheEnd) {
  limits_ = {.max_notifications_per_hour = 8, .max_critical_per_hour = 3};
  std::size_t told = 0;
  const auto tick = [&] {
    for (const std::string& delivery : plan())
      told += static_cast<std::size_t>(std::count(delivery.begin(), delivery.end(), ' '));
    after(seconds(30));
  };
  for (int i = 0; i < 3 * 120; ++i) {  // three hours
    for (int n = 0; n < 5; ++n) comes("s" + std::to_string((i * 7 + n * 13) % 90), (i + n) % 9 == 0);
    tick();
  }
  for (int i = 0; i < 4 * 120; ++i) tick();
  EXPECT_EQ(told, 3U * 120 * 5);
  EXPECT_LE(most_in_an_hour(false), 8);
  EXPECT_LE(most_in_an_hour(true), 3);
}

TEST_F(DispatchPlan, LooksBackAsFarAsItsRulesReach) {
  EXPECT_EQ(recent_span({.window = minutes(30)}), hours(1));
  EXPECT_EQ(recent_span({.window = hours(3)}), hours(3));
}

}  // namespace
}  // namespace collect::alerts
