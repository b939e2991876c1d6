// SPDX-License-Identifier: Apache-2.0
// NotificationStore.
#include <fmt/format.h>

#include <set>
#include <thread>

#include "contract/alerts_contract.h"

namespace collect::test {
namespace {

using alerts::Attempted;
using alerts::Delivery;
using alerts::DeliveryState;
using alerts::DispatchState;
using alerts::NewDelivery;
using alerts::News;
using diff::Severity;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<NewDelivery> nobody_plans(const DispatchState&) {
  ADD_FAILURE() << "asked";
  return {};
}

// All that waits in one delivery, as the first one's system or as a summary.
alerts::PlanDeliveries all_in(const std::string& id, bool summary = false) {
  return [=](const DispatchState& state) -> std::vector<NewDelivery> {
    const auto& first = state.waiting.front();
    NewDelivery made{id, first.organization_id, first.system_id, first.critical, {}};
    if (summary) made.system_id.reset();
    for (const auto& one : state.waiting) made.notifications.push_back(one.id);
    return {made};
  };
}

// Each that waits in a delivery of its own: "<prefix>0", "<prefix>1", …
alerts::PlanDeliveries one_by_one(const std::string& prefix) {
  return [=](const DispatchState& state) {
    std::vector<NewDelivery> made;
    for (const auto& one : state.waiting) {
      made.push_back({fmt::format("{}{}", prefix, made.size()),
                      one.organization_id,
                      one.system_id,
                      one.critical,
                      {one.id}});
    }
    return made;
  };
}

class NotificationStoreContract : public AlertsContract {
 protected:
  Result<std::size_t> plan(std::string_view channel, std::int64_t seconds, const alerts::PlanDeliveries& plan,
                           std::size_t limit = 1000, std::int64_t recent_since = 0) {
    return stores_.notifications.plan(channel, at(recent_since), limit, at(seconds), plan);
  }
  // For ten seconds.
  std::vector<Delivery> claim(std::string_view channel, std::int64_t seconds, std::size_t limit = 1000) {
    auto claimed = stores_.notifications.claim(channel, at(seconds), at(seconds + 10), limit);
    if (!claimed) throw std::runtime_error(claimed.failure().message);
    return std::move(*claimed);
  }
  void finish(std::string_view id, const Attempted& attempted, std::int64_t seconds) {
    ASSERT_TRUE(succeeded(stores_.notifications.finish(id, attempted, at(seconds))));
  }
  std::vector<alerts::ListedDelivery> deliveries(std::optional<DeliveryState> state = std::nullopt,
                                                 std::size_t limit = 100) {
    auto found = stores_.notifications.list(state, limit);
    if (!found) throw std::runtime_error(found.failure().message);
    return std::move(*found);
  }
  // "<channel> <waiting> <pending> <dead>"
  std::string depth_lines() {
    std::string text;
    const auto depths = stores_.notifications.depths();
    for (const auto& one : *depths) {
      text += fmt::format("{} {} {} {}\n", one.channel, one.waiting, one.pending, one.dead);
    }
    return text;
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, NotificationStoreContract, testing::ValuesIn(store_engines()), engine_name);

std::vector<std::string> ids(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> ids;
  for (const auto& one : deliveries) ids.push_back(one.id);
  return ids;
}

std::vector<std::string> paths(const Delivery& delivery) {
  std::vector<std::string> paths;
  for (const auto& item : delivery.items) paths.push_back(item.alert.field_path);
  return paths;
}

TEST_P(NotificationStoreContract, APlanSeesWhatWaitsForItsChannel) {
  add_systems({"a"});
  add_organization_with_system("org-2", "b");
  EXPECT_EQ(*plan("log", 5, nobody_plans), 0U);
  alert("b", {"x"}, 20, Severity::high, {"log", "mail"});
  alert("a", {"y"}, 10, Severity::critical, {"log"});
  ASSERT_TRUE(succeeded(plan("log", 30, [](const DispatchState& state) -> std::vector<NewDelivery> {
    EXPECT_EQ(state.waiting.size(), 2U);
    const auto& oldest = state.waiting.at(0);
    EXPECT_EQ(oldest.system_id, id_of("a"));
    EXPECT_EQ(oldest.organization_id, OrganizationId("org-1"));
    EXPECT_TRUE(oldest.critical);
    EXPECT_EQ(oldest.since, at(11));
    EXPECT_EQ(state.waiting.at(1).system_id, id_of("b"));
    EXPECT_EQ(state.waiting.at(1).organization_id, OrganizationId("org-2"));
    EXPECT_FALSE(state.waiting.at(1).critical);
    EXPECT_THAT(state.recent, IsEmpty());
    return {};
  })));
  EXPECT_EQ(depth_lines(), "log 2 0 0\nmail 1 0 0\n");

  EXPECT_EQ(*plan("log", 40, one_by_one("d")), 2U);
  EXPECT_EQ(*plan("log", 41, nobody_plans), 0U);
  EXPECT_EQ(depth_lines(), "log 0 2 0\nmail 1 0 0\n");
  const auto listed = deliveries();
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_EQ(listed[1].id, "d0");
  EXPECT_EQ(listed[1].channel, "log");
  EXPECT_EQ(listed[1].organization_id, OrganizationId("org-1"));
  EXPECT_EQ(listed[1].system_id, id_of("a"));
  EXPECT_EQ(listed[1].state, DeliveryState::pending);
  EXPECT_EQ(listed[1].attempts, 0);
  EXPECT_EQ(listed[1].error, "");
  EXPECT_EQ(listed[1].notifications, 1U);
  EXPECT_EQ(listed[1].created_at, at(40));
  EXPECT_EQ(listed[1].next_attempt_at, at(40));
  EXPECT_EQ(listed[1].sent_at, std::nullopt);
}

TEST_P(NotificationStoreContract, APlanSeesWhatWasPlannedLatelyWhateverBecameOfIt) {
  add_systems({"a"});
  const auto planned = [&](const std::string& id, std::int64_t seconds, bool summary) {
    alert("a", {"x"}, seconds - 2, summary ? Severity::critical : Severity::low, {"log"});
    ASSERT_EQ(*plan("log", seconds, all_in(id, summary)), 1U);
  };
  planned("old", 10, false);
  planned("sent", 20, false);
  planned("summary", 30, true);
  alert("a", {"x"}, 35, Severity::low, {"mail", "log"});
  ASSERT_EQ(*plan("mail", 37, all_in("other channel")), 1U);
  finish("sent", {DeliveryState::sent, {}, ""}, 40);
  ASSERT_TRUE(succeeded(plan(
      "log", 50,
      [](const DispatchState& state) -> std::vector<NewDelivery> {
        EXPECT_EQ(state.recent.size(), 2U);
        EXPECT_EQ(state.recent.at(0).at, at(20));
        EXPECT_EQ(state.recent.at(0).organization_id, OrganizationId("org-1"));
        EXPECT_EQ(state.recent.at(0).system_id, id_of("a"));
        EXPECT_FALSE(state.recent.at(0).critical);
        EXPECT_EQ(state.recent.at(1).at, at(30));
        EXPECT_EQ(state.recent.at(1).system_id, std::nullopt);
        EXPECT_TRUE(state.recent.at(1).critical);
        return {};
      },
      1000, 20)));
}

TEST_P(NotificationStoreContract, WhatOneOrganizationHoldsBackHidesNobodyElses) {
  add_systems({"a"});
  add_organization_with_system("org-2", "b");
  alert("a", {"1", "2", "3"}, 10, Severity::low, {"log"});
  alert("a", {"4", "5", "6"}, 20, Severity::critical, {"log"});
  alert("b", {"7"}, 30, Severity::low, {"log"});
  ASSERT_TRUE(succeeded(plan(
      "log", 40,
      [](const DispatchState& state) -> std::vector<NewDelivery> {
        std::vector<std::string> waiting;
        for (const auto& one : state.waiting) {
          waiting.push_back(fmt::format("{} {}", one.organization_id.text(), one.critical));
        }
        EXPECT_THAT(waiting,
                    ElementsAre("org-1 false", "org-1 false", "org-1 true", "org-1 true", "org-2 false"));
        return {};
      },
      2)));
}

TEST_P(NotificationStoreContract, APlanThatFailsPlansNothing) {
  add_systems({"a"});
  alert("a", {"x", "y"}, 10, Severity::high, {"log"});
  EXPECT_THROW(
      (void)plan("log", 20,
                 [](const DispatchState&) -> std::vector<NewDelivery> { throw std::logic_error("bug"); }),
      std::logic_error);
  const auto twice = plan("log", 20, [](const DispatchState& state) {
    auto made = one_by_one("d")(state);
    made[1].notifications = made[0].notifications;
    return made;
  });
  EXPECT_FALSE(twice.ok());
  EXPECT_THAT(deliveries(), IsEmpty());
  EXPECT_EQ(depth_lines(), "log 2 0 0\n");
}

TEST_P(NotificationStoreContract, AClaimHasAllThatIsInItTheMostSevereFirst) {
  add_systems({"a"});
  add_organization_with_system("org-2", "b");
  alert("a", {"low"}, 10, Severity::low, {"log"});
  alert("b", {"late"}, 30, Severity::critical, {"log"});
  alert("a", {"early", "next"}, 20, Severity::critical, {"log"});
  ASSERT_TRUE(*stores_.alerts.resolve(listed()[0].alert.id, at(40)));
  ASSERT_EQ(*plan("log", 50, all_in("d", true)), 1U);
  const auto claimed = claim("log", 50);
  ASSERT_THAT(claimed, SizeIs(1));
  const auto& delivery = claimed[0];
  EXPECT_EQ(delivery.id, "d");
  EXPECT_EQ(delivery.channel, "log");
  EXPECT_EQ(delivery.organization_id, OrganizationId("org-1"));
  EXPECT_TRUE(delivery.summary);
  EXPECT_EQ(delivery.attempts, 0);
  EXPECT_EQ(delivery.created_at, at(50));
  EXPECT_THAT(paths(delivery), ElementsAre("early", "next", "late", "low"));
  const auto& items = delivery.items;
  EXPECT_EQ(items[0].news, News::firing);
  EXPECT_EQ(items[1].news, News::resolved) << "which also fired, but once is enough";
  EXPECT_TRUE(items[1].alert.is_resolved);
  EXPECT_EQ(items[0].alert.message, "early changed");
  EXPECT_EQ(items[0].alert.rule, "rule");
  EXPECT_EQ(items[0].alert.severity, Severity::critical);
  EXPECT_EQ(items[0].system.system_key, "NETH-a");
  EXPECT_EQ(items[0].system.organization.name, "First");
  EXPECT_EQ(items[2].system.system_key, "NETH-b");
  EXPECT_EQ(items[2].system.organization.name, "Second");
}

TEST_P(NotificationStoreContract, AClaimIsNobodyElsesUntilItEnds) {
  add_systems({"a"});
  alert("a", {"x", "y", "z"}, 10, Severity::high, {"log", "mail"});
  ASSERT_EQ(*plan("log", 20, one_by_one("d")), 3U);
  EXPECT_THAT(claim("log", 19), IsEmpty());
  EXPECT_THAT(claim("mail", 20), IsEmpty());
  EXPECT_THAT(ids(claim("log", 20, 1)), ElementsAre("d0"));
  EXPECT_THAT(ids(claim("log", 20)), ElementsAre("d1", "d2"));
  EXPECT_THAT(claim("log", 29), IsEmpty());
  // Nobody finished them: the same again.
  const auto again = claim("log", 30);
  EXPECT_THAT(ids(again), ElementsAre("d0", "d1", "d2"));
  EXPECT_EQ(again[0].attempts, 0);
  EXPECT_FALSE(again[0].summary);
}

TEST_P(NotificationStoreContract, WhatIsSentIsOver) {
  add_systems({"a"});
  alert("a", {"x"}, 10, Severity::high, {"log"});
  ASSERT_EQ(*plan("log", 20, all_in("d")), 1U);
  ASSERT_THAT(claim("log", 20), SizeIs(1));
  finish("d", {DeliveryState::pending, at(25), "HTTP 500"}, 21);
  ASSERT_THAT(claim("log", 25), SizeIs(1));
  finish("d", {DeliveryState::sent, {}, ""}, 26);
  EXPECT_THAT(claim("log", 1000), IsEmpty());
  const auto sent = deliveries()[0];
  EXPECT_EQ(sent.state, DeliveryState::sent);
  EXPECT_EQ(sent.sent_at, at(26));
  EXPECT_EQ(sent.attempts, 1);
  EXPECT_EQ(sent.error, "HTTP 500");
  EXPECT_EQ(sent.next_attempt_at, std::nullopt);
  EXPECT_EQ(depth_lines(), "");
  // Whoever was late with it changes nothing.
  finish("d", {DeliveryState::pending, at(40), "timeout"}, 30);
  finish("d", {DeliveryState::dead, {}, "timeout"}, 30);
  EXPECT_EQ(deliveries()[0].state, DeliveryState::sent);
  EXPECT_EQ(deliveries()[0].attempts, 1);
  EXPECT_EQ(*stores_.notifications.retry(std::nullopt, at(50)), 0U);
}

TEST_P(NotificationStoreContract, WhatFailsIsTriedAgainThenGivenUpThenRetriedByPeople) {
  add_systems({"a"});
  alert("a", {"x", "y"}, 10, Severity::high, {"log"});
  ASSERT_EQ(*plan("log", 20, one_by_one("d")), 2U);
  ASSERT_THAT(claim("log", 20), SizeIs(2));
  finish("d0", {DeliveryState::pending, at(60), "HTTP 503"}, 21);
  EXPECT_THAT(claim("log", 29), IsEmpty());
  EXPECT_THAT(ids(claim("log", 59)), ElementsAre("d1"));
  const auto second = claim("log", 60);
  ASSERT_THAT(ids(second), ElementsAre("d0"));
  EXPECT_EQ(second[0].attempts, 1);
  finish("d0", {DeliveryState::dead, {}, "HTTP 400"}, 61);
  finish("d1", {DeliveryState::dead, {}, "HTTP 401"}, 61);
  EXPECT_THAT(claim("log", 1000), IsEmpty());
  EXPECT_EQ(depth_lines(), "log 0 0 2\n");
  const auto dead = deliveries(DeliveryState::dead);
  ASSERT_THAT(dead, SizeIs(2));
  EXPECT_EQ(dead[1].id, "d0");
  EXPECT_EQ(dead[1].attempts, 2);
  EXPECT_EQ(dead[1].error, "HTTP 400");
  EXPECT_EQ(dead[1].next_attempt_at, std::nullopt);

  EXPECT_EQ(*stores_.notifications.retry("nonsense", at(70)), 0U);
  EXPECT_EQ(*stores_.notifications.retry(std::string("\0\xff", 2), at(70)), 0U);
  EXPECT_EQ(*stores_.notifications.retry("d1", at(70)), 1U);
  EXPECT_EQ(*stores_.notifications.retry("d1", at(71)), 0U);
  EXPECT_EQ(*stores_.notifications.retry(std::nullopt, at(80)), 1U);
  EXPECT_EQ(deliveries()[0].next_attempt_at, at(70));
  EXPECT_EQ(deliveries()[0].error, "HTTP 401");
  EXPECT_EQ(depth_lines(), "log 0 2 0\n");
  const auto again = claim("log", 80);
  ASSERT_THAT(ids(again), ElementsAre("d0", "d1"));
  EXPECT_EQ(again[0].attempts, 0);
  EXPECT_THAT(again[0].items, SizeIs(1));
}

TEST_P(NotificationStoreContract, DeliveriesAreListedNewestFirst) {
  add_systems({"a"});
  for (const auto* id : {"1", "2", "3"}) {
    const auto seconds = 10 * (*id - '0');
    alert("a", {"x", "y"}, seconds, Severity::high, {"log"});
    ASSERT_EQ(*plan("log", seconds + 2, all_in(id, *id == '3')), 1U);
  }
  finish("1", {DeliveryState::sent, {}, ""}, 50);
  finish("2", {DeliveryState::dead, {}, "no"}, 50);
  const auto found = [&](std::optional<DeliveryState> state, std::size_t limit) {
    std::string ids;
    for (const auto& one : deliveries(state, limit)) ids += one.id;
    return ids;
  };
  EXPECT_EQ(found(std::nullopt, 10), "321");
  EXPECT_EQ(found(std::nullopt, 2), "32");
  EXPECT_EQ(found(DeliveryState::pending, 10), "3");
  EXPECT_EQ(found(DeliveryState::sent, 10), "1");
  EXPECT_EQ(found(DeliveryState::dead, 10), "2");
  EXPECT_EQ(deliveries()[0].system_id, std::nullopt);
  EXPECT_EQ(deliveries()[0].notifications, 2U);
}

TEST_P(NotificationStoreContract, TwoClaimantsNeverGetTheSame) {
  add_systems({"a"});
  std::vector<std::string> paths;
  for (int i = 0; i < 60; ++i) paths.push_back(fmt::format("p{}", i));
  alert("a", paths, 10, Severity::high, {"log"});
  ASSERT_EQ(*plan("log", 20, one_by_one("d")), 60U);
  const auto claim_all = [&](std::vector<std::string>& mine) {
    for (int i = 0; i < 40; ++i) {
      for (const auto& id : ids(claim("log", 20, 3))) mine.push_back(id);
    }
  };
  std::vector<std::string> mine;
  std::vector<std::string> others;
  std::thread other([&] { claim_all(others); });
  claim_all(mine);
  other.join();
  std::set<std::string> all(mine.begin(), mine.end());
  all.insert(others.begin(), others.end());
  EXPECT_EQ(mine.size() + others.size(), 60U);
  EXPECT_THAT(all, SizeIs(60));
}

TEST_P(NotificationStoreContract, TwoPlannersNeverPlanTheSame) {
  add_systems({"a"});
  std::vector<std::string> paths;
  for (int i = 0; i < 40; ++i) paths.push_back(fmt::format("p{}", i));
  alert("a", paths, 10, Severity::high, {"log"});
  // Some of what waits, so that the other one always has something to do.
  const auto plan_some = [&](const std::string& prefix) {
    std::size_t planned = 0;
    for (int i = 0; i < 40; ++i) {
      const auto done = plan("log", 20, one_by_one(fmt::format("{}{}-", prefix, i)), 2);
      EXPECT_TRUE(succeeded(done));
      if (done) planned += *done;
    }
    return planned;
  };
  std::size_t others = 0;
  std::thread other([&] { others = plan_some("b"); });
  const auto mine = plan_some("a");
  other.join();
  EXPECT_EQ(mine + others, 40U);
  EXPECT_EQ(sql("select count(*), count(distinct delivery_id) from alert_notifications"), "40|40\n");
}

TEST_P(NotificationStoreContract, ADeliveryWithAThousandItems) {
  add_systems({"a", "b"});
  std::vector<std::string> paths;
  for (int i = 0; i < 500; ++i) paths.push_back(fmt::format("p{}", i));
  alert("a", paths, 10, Severity::high, {"log"});
  alert("b", paths, 20, Severity::critical, {"log"});
  ASSERT_EQ(*plan("log", 30, all_in("d", true)), 1U);
  const auto claimed = claim("log", 30);
  ASSERT_THAT(claimed, SizeIs(1));
  ASSERT_THAT(claimed[0].items, SizeIs(1000));
  EXPECT_EQ(claimed[0].items.front().system.id, id_of("b"));
  EXPECT_EQ(claimed[0].items.front().alert.field_path, "p0");
  EXPECT_EQ(claimed[0].items.back().system.id, id_of("a"));
  EXPECT_EQ(claimed[0].items.back().alert.field_path, "p499");
  EXPECT_EQ(deliveries()[0].notifications, 1000U);
}

TEST_P(NotificationStoreContract, WhatHasNothingLeftToTellGoes) {
  add_systems({"a", "b"});
  alert("a", {"x"}, 10, Severity::high, {"log"});
  ASSERT_EQ(*plan("log", 20, all_in("of a")), 1U);
  alert("b", {"x"}, 21, Severity::high, {"log"});
  ASSERT_EQ(*plan("log", 30, all_in("of b")), 1U);
  alert("a", {"y"}, 31, Severity::high, {"log"});
  sql(fmt::format("delete from systems where id = '{}'", id_of("a").text()));
  EXPECT_EQ(*plan("log", 40, nobody_plans), 0U);
  EXPECT_THAT(ids(claim("log", 40)), ElementsAre("of b"));
  EXPECT_EQ(depth_lines(), "log 0 1 0\n");
  EXPECT_THAT(deliveries(), SizeIs(1));
}

TEST_P(NotificationStoreContract, ADeletedSystemsDeliveriesGoOut) {
  add_systems({"a"});
  alert("a", {"x"}, 10, Severity::high, {"log"});
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), removal, at(15))));
  ASSERT_EQ(*plan("log", 20, all_in("d")), 1U);
  const auto claimed = claim("log", 20);
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].items.at(0).system.deleted_at, at(15));
}

}  // namespace
}  // namespace collect::test
