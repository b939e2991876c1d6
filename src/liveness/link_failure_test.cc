// SPDX-License-Identifier: Apache-2.0
#include "liveness/link_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::liveness {
namespace {

using namespace std::chrono_literals;
using alerts::AlertId;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow{1'700'000'000s};
constexpr Duration kTimeout = 10min;

systems::System silent_system(const std::string& name = "a", Time last_heartbeat = kNow - 15min) {
  systems::System system;
  system.id = SystemId("id-" + name);
  system.system_key = "NETH-" + name;
  system.status = "inactive";
  system.organization_id = OrganizationId("org");
  system.organization.logto_id = OrganizationId("org");
  system.last_heartbeat = last_heartbeat;
  return system;
}

LinkFailure failure_of(const systems::System& system, int alert_id = 7) {
  LinkFailure failure;
  failure.alert_id = AlertId{alert_id};
  failure.last_heartbeat = system.last_heartbeat;
  failure.noticed = kNow - 5min;
  failure.told = true;
  failure.message = "silent";
  failure.critical = true;
  failure.posted = {systems::tenant_of(system), systems::labels_of(system)};
  return failure;
}

class LinkFailureTest : public testing::Test {
 protected:
  LinkDecision decide(const systems::System& system, std::optional<LinkFailure> failure = std::nullopt) {
    const std::vector<LinkState> states = {{system, std::move(failure)}};
    return decide_links(states, conditions);
  }

  LinkConditions conditions{.now = kNow,
                            .timeout = kTimeout,
                            .fresh_since = kNow - 15min,
                            .has_alertmanager = true,
                            .message = [](const systems::System& system) {
                              return LinkMessage{system.system_key + " is silent", diff::Severity::critical};
                            }};
};

TEST_F(LinkFailureTest, SilenceBeginsAnOutageAndFires) {
  const auto decision = decide(silent_system());
  ASSERT_THAT(decision.plan.begun, SizeIs(1));
  EXPECT_EQ(decision.plan.begun[0].system_id, SystemId("id-a"));
  EXPECT_EQ(decision.plan.begun[0].last_heartbeat, kNow - 15min);
  EXPECT_EQ(decision.plan.begun[0].message, "NETH-a is silent");
  EXPECT_EQ(decision.plan.begun[0].posted.tenant, "org");
  ASSERT_THAT(decision.posts, SizeIs(1));
  EXPECT_EQ(decision.posts[0].starts_at, kNow - 5min);
  EXPECT_EQ(decision.posts[0].ends_at, kNow + 10min);
  EXPECT_EQ(decision.posts[0].posted.labels.at("system_key"), "NETH-a");
  ASSERT_THAT(decision.begun, SizeIs(1));
  EXPECT_TRUE(decision.begun[0].critical);
  EXPECT_EQ(decision.silent, 1U);
  EXPECT_EQ(decision.fresh, 1U);
}

TEST_F(LinkFailureTest, WhileItLastsItIsRefreshedAndNothingElse) {
  const auto system = silent_system();
  const auto decision = decide(system, failure_of(system));
  EXPECT_THAT(decision.plan.begun, IsEmpty());
  EXPECT_THAT(decision.plan.relabelled, IsEmpty());
  EXPECT_THAT(decision.plan.resolved, IsEmpty());
  EXPECT_THAT(decision.untold, IsEmpty());
  ASSERT_THAT(decision.posts, SizeIs(1));
  EXPECT_EQ(decision.posts[0].starts_at, kNow - 5min);
  EXPECT_EQ(decision.posts[0].ends_at, kNow + 10min);
  EXPECT_EQ(decision.posts[0].forget, std::nullopt);
}

TEST_F(LinkFailureTest, NobodyIsSilentWhoIsGoneOrSuspended) {
  const auto excused = [](auto change) {
    auto system = silent_system();
    change(system);
    return !is_silent(system, kNow, kTimeout);
  };
  EXPECT_FALSE(excused([](auto&) {}));
  EXPECT_TRUE(excused([](auto& s) { s.deleted_at = kNow; }));
  EXPECT_TRUE(excused([](auto& s) { s.suspended_at = kNow; }));
  EXPECT_TRUE(excused([](auto& s) { s.organization.suspended_at = kNow; }));
  EXPECT_TRUE(excused([](auto& s) { s.organization.deleted_at = kNow; }));
  EXPECT_TRUE(excused([](auto& s) { s.status = "active"; }));
  EXPECT_TRUE(excused([](auto& s) { s.status = "unknown"; }));
  // The status does not show it yet.
  EXPECT_TRUE(excused([](auto& s) { s.last_heartbeat = kNow - 1s; }));
  // Another program's row.
  EXPECT_FALSE(excused([](auto& s) { s.last_heartbeat.reset(); }));
}

TEST_F(LinkFailureTest, AnOutageEndsWhenTheSystemIsBackSuspendedOrDeleted) {
  for (int kind = 0; kind < 3; ++kind) {
    auto system = silent_system();
    const auto failure = failure_of(system);
    if (kind == 0) system.status = "active";
    if (kind == 1) system.organization.suspended_at = kNow;
    if (kind == 2) system.deleted_at = kNow;
    const auto decision = decide(system, failure);
    EXPECT_THAT(decision.plan.resolved, ElementsAre(AlertId{7}));
    EXPECT_THAT(decision.plan.forgotten, IsEmpty());
    ASSERT_THAT(decision.posts, SizeIs(1));
    EXPECT_EQ(decision.posts[0].ends_at, kNow - 30s);
    EXPECT_EQ(decision.posts[0].starts_at, kNow - 5min);
    EXPECT_EQ(decision.posts[0].forget, AlertId{7});
    EXPECT_EQ(decision.silent, 0U);
  }
}

TEST_F(LinkFailureTest, AnEndThatCouldNotBePostedIsPostedAgainUntilItPassesByItself) {
  auto system = silent_system();
  auto failure = failure_of(system);
  system.status = "active";
  failure.resolved_at = kNow - 4min;
  auto decision = decide(system, failure);
  EXPECT_THAT(decision.plan.resolved, IsEmpty());
  ASSERT_THAT(decision.posts, SizeIs(1));
  EXPECT_EQ(decision.posts[0].ends_at, kNow - 4min - 30s);
  // Not before it began.
  failure.resolved_at = kNow - 5min + 1s;
  EXPECT_EQ(decide(system, failure).posts.at(0).ends_at, kNow - 5min);
  failure.resolved_at = kNow - 10min;
  decision = decide(system, failure);
  EXPECT_THAT(decision.posts, IsEmpty());
  EXPECT_THAT(decision.plan.forgotten, ElementsAre(AlertId{7}));
}

TEST_F(LinkFailureTest, WithoutAnAlertmanagerOnlyTheRowsAreKept) {
  conditions.has_alertmanager = false;
  auto system = silent_system();
  EXPECT_THAT(decide(system).plan.begun, SizeIs(1));
  EXPECT_THAT(decide(system).posts, IsEmpty());
  const auto failure = failure_of(system);
  system.status = "active";
  const auto decision = decide(system, failure);
  EXPECT_THAT(decision.plan.resolved, ElementsAre(AlertId{7}));
  EXPECT_THAT(decision.plan.forgotten, ElementsAre(AlertId{7}));
  EXPECT_THAT(decision.posts, IsEmpty());
}

TEST_F(LinkFailureTest, WhatAnOperatorResolvedIsNotMadeAgainWhileTheSilenceLasts) {
  const auto system = silent_system();
  auto failure = failure_of(system);
  failure.resolved_at = kNow - 1min;
  auto decision = decide(system, failure);
  EXPECT_THAT(decision.plan.begun, IsEmpty());
  ASSERT_THAT(decision.posts, SizeIs(1));
  EXPECT_EQ(decision.posts[0].ends_at, kNow - 1min - 30s);
  EXPECT_EQ(decision.posts[0].forget, std::nullopt);
  failure.resolved_at = kNow - 1h;
  decision = decide(system, failure);
  EXPECT_THAT(decision.plan.begun, IsEmpty());
  EXPECT_THAT(decision.plan.forgotten, IsEmpty());
  EXPECT_THAT(decision.posts, IsEmpty());
  EXPECT_EQ(decision.fresh, 0U);
}

TEST_F(LinkFailureTest, BackAndGoneAgainBetweenTwoRoundsIsAnotherOutage) {
  const auto failure = failure_of(silent_system("a", kNow - 40min));
  const auto decision = decide(silent_system("a", kNow - 12min), failure);
  EXPECT_THAT(decision.plan.resolved, ElementsAre(AlertId{7}));
  ASSERT_THAT(decision.plan.begun, SizeIs(1));
  EXPECT_EQ(decision.plan.begun[0].last_heartbeat, kNow - 12min);
}

TEST_F(LinkFailureTest, NewLabelsEndWhatStandsUnderTheOldOnes) {
  auto system = silent_system();
  const auto failure = failure_of(system);
  system.name = "Renamed";
  system.organization.managed_by = "boss";
  const auto decision = decide(system, failure);
  ASSERT_THAT(decision.plan.relabelled, SizeIs(1));
  EXPECT_EQ(decision.plan.relabelled[0].posted.tenant, "boss");
  ASSERT_THAT(decision.posts, SizeIs(2));
  EXPECT_EQ(decision.posts[0].posted, failure.posted);
  EXPECT_EQ(decision.posts[0].ends_at, kNow - 30s);
  EXPECT_EQ(decision.posts[1].posted.tenant, "boss");
  EXPECT_EQ(decision.posts[1].posted.labels.at("system_name"), "Renamed");
  EXPECT_EQ(decision.posts[1].ends_at, kNow + 10min);
}

TEST_F(LinkFailureTest, NoStartIsInTheFuture) {
  auto system = silent_system();
  system.last_heartbeat.reset();
  EXPECT_EQ(decide(system).posts.at(0).starts_at, kNow);
  // A timeout that was made longer since.
  system = silent_system("a", kNow - 15min);
  auto failure = failure_of(system);
  failure.noticed = kNow - 9min;
  EXPECT_EQ(decide(system, failure).posts.at(0).starts_at, kNow - 9min);
  // A clock that was put back.
  failure.noticed = kNow + 1h;
  failure.resolved_at = kNow + 2h;
  conditions.timeout = 14min;
  const auto decision = decide(system, failure);
  EXPECT_EQ(decision.posts.at(0).starts_at, kNow - 1min);
  EXPECT_EQ(decision.posts.at(0).ends_at, kNow - 30s);
}

TEST_F(LinkFailureTest, WhatWasNotToldIsSaid) {
  const auto system = silent_system();
  auto failure = failure_of(system);
  failure.told = false;
  failure.noticed = kNow - 20min;
  const auto decision = decide(system, failure);
  ASSERT_THAT(decision.untold, SizeIs(1));
  EXPECT_EQ(decision.untold[0].alert_id, AlertId{7});
  EXPECT_EQ(decision.untold[0].organization_id, OrganizationId("org"));
  EXPECT_EQ(decision.fresh, 0U);
}

TEST(FleetMoodTest, HalfTheFleetIsSilenceOfOurOwn) {
  EXPECT_EQ(mood_of(0, 0), FleetMood::calm);
  EXPECT_EQ(mood_of(1000, 0), FleetMood::calm);
  EXPECT_EQ(mood_of(0, 2), FleetMood::calm);  // two systems are no fleet
  EXPECT_EQ(mood_of(3, 3), FleetMood::silent);
  EXPECT_EQ(mood_of(4, 3), FleetMood::calm);
  EXPECT_EQ(mood_of(500, 500), FleetMood::silent);
  EXPECT_EQ(mood_of(501, 500), FleetMood::uneasy);
  EXPECT_EQ(mood_of(981, 19), FleetMood::calm);
  EXPECT_EQ(mood_of(980, 20), FleetMood::uneasy);
  EXPECT_EQ(mood_of(100, 4), FleetMood::calm);
  EXPECT_EQ(mood_of(100, 5), FleetMood::uneasy);
}

}  // namespace
}  // namespace collect::liveness
