// SPDX-License-Identifier: Apache-2.0
// LinkFailureStore.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "contract/alerts_contract.h"

namespace collect::test {
namespace {

using alerts::AlertId;
using diff::Severity;
using liveness::LinkPlan;
using liveness::LinkState;
using liveness::NewLinkFailure;
using liveness::Reviewed;
using liveness::Untold;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

LinkPlan nothing(std::span<const LinkState>) {
  return {};
}

NewLinkFailure failure_of(const LinkState& state) {
  return {state.system.id,
          state.system.last_heartbeat,
          state.system.system_key + " is silent",
          Severity::critical,
          {"tenant", {{"system_key", state.system.system_key}, {"system_name", "A \"quoted\" è"}}}};
}

// An outage for each that has none.
LinkPlan begin_all(std::span<const LinkState> states) {
  LinkPlan plan;
  for (const auto& state : states) {
    if (!state.failure) plan.begun.push_back(failure_of(state));
  }
  return plan;
}

class LinkFailureContract : public AlertsContract {
 protected:
  // Silent since at(seconds).
  void silence(std::initializer_list<std::string_view> words, std::int64_t seconds) {
    for (const auto word : words) {
      const std::vector<liveness::Heartbeat> heartbeat = {{id_of(word), at(seconds)}};
      ASSERT_TRUE(succeeded(stores_.liveness.write(heartbeat)));
    }
    ASSERT_TRUE(succeeded(stores_.liveness.apply(at(seconds), std::nullopt)));
    ASSERT_TRUE(succeeded(stores_.liveness.apply(at(seconds + 1), at(seconds + 1))));
  }
  Reviewed review(std::int64_t seconds, const liveness::DecidePlan& decide, const SystemId& after = {},
                  std::size_t limit = 100) {
    auto reviewed = stores_.link_failures.review(after, limit, at(seconds), decide);
    if (!reviewed) throw std::runtime_error(reviewed.failure().message);
    return std::move(*reviewed);
  }
  // What the next review sees.
  std::vector<LinkState> states(std::int64_t seconds = 1000) {
    std::vector<LinkState> seen;
    review(seconds, [&](std::span<const LinkState> all) {
      seen.assign(all.begin(), all.end());
      return LinkPlan{};
    });
    return seen;
  }
  std::size_t tell(const std::vector<AlertId>& ids, std::vector<std::string> channels, std::int64_t seconds) {
    std::vector<Untold> outages;
    for (const auto id : ids) outages.push_back({id, id_of("a"), OrganizationId("org-1"), true, {}});
    const auto told = stores_.link_failures.tell(outages, channels, at(seconds));
    if (!told) throw std::runtime_error(told.failure().message);
    return *told;
  }
  std::string told() {
    return sql(
        "select channel, news, organization_id from alert_notifications order by alert_id, news, channel");
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, LinkFailureContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(LinkFailureContract, OnlySilentSystemsAreSeen) {
  add_systems({"silent", "active", "never", "deleted"});
  silence({"silent", "deleted"}, 10);
  const std::vector<liveness::Heartbeat> heartbeat = {{id_of("active"), at(20)}};
  ASSERT_TRUE(succeeded(stores_.liveness.write(heartbeat)));
  ASSERT_TRUE(succeeded(stores_.liveness.apply(at(20), std::nullopt)));
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("deleted"), removal, at(11))));
  const auto seen = states();
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].system.id, id_of("silent"));
  EXPECT_EQ(seen[0].system.last_heartbeat, at(10));
  EXPECT_EQ(seen[0].system.organization.name, "First");
  EXPECT_FALSE(seen[0].failure.has_value());
}

TEST_P(LinkFailureContract, AnOutageIsAnAlertThatStays) {
  add_systems({"a"});
  silence({"a"}, 10);
  const auto begun = review(700, begin_all).begun;
  ASSERT_THAT(begun, SizeIs(1));
  const auto alerts = listed();
  ASSERT_THAT(alerts, SizeIs(1));
  const auto& alert = alerts[0].alert;
  EXPECT_EQ(alert.id, begun[0]);
  EXPECT_EQ(alert.system_id, id_of("a"));
  EXPECT_EQ(alert.rule, "link_failed");
  EXPECT_EQ(alert.alert_type, "link_failed");
  EXPECT_EQ(alert.message, "NETH-a is silent");
  EXPECT_EQ(alert.severity, Severity::critical);
  EXPECT_FALSE(alert.diff_id.has_value());
  EXPECT_FALSE(alert.is_resolved);
  EXPECT_EQ(alert.created_at, at(700));

  const auto seen = states();
  ASSERT_THAT(seen, SizeIs(1));
  ASSERT_TRUE(seen[0].failure.has_value());
  const auto& failure = *seen[0].failure;
  EXPECT_EQ(failure.alert_id, begun[0]);
  EXPECT_EQ(failure.last_heartbeat, at(10));
  EXPECT_EQ(failure.noticed, at(700));
  EXPECT_EQ(failure.resolved_at, std::nullopt);
  EXPECT_FALSE(failure.told);
  EXPECT_TRUE(failure.critical);
  EXPECT_EQ(failure.message, "NETH-a is silent");
  EXPECT_EQ(failure.posted.tenant, "tenant");
  EXPECT_EQ(failure.posted.labels.at("system_name"), "A \"quoted\" è");
  EXPECT_THAT(told(), IsEmpty());
}

TEST_P(LinkFailureContract, TwoProcessesMakeOneAlert) {
  add_systems({"a", "b", "c"});
  silence({"a", "b", "c"}, 10);
  std::vector<std::thread> processes;
  for (int i = 0; i < 4; ++i) {
    processes.emplace_back([&] {
      for (int round = 0; round < 5; ++round) review(700 + round, begin_all);
    });
  }
  for (auto& process : processes) process.join();
  EXPECT_THAT(listed(), SizeIs(3));
}

TEST_P(LinkFailureContract, PagesGoThroughAllOnce) {
  add_systems({"a", "b", "c", "d", "e"});
  silence({"a", "b", "c", "d", "e"}, 10);
  std::vector<SystemId> seen;
  SystemId after;
  for (int pages = 1;; ++pages) {
    const auto reviewed = review(
        700,
        [&](std::span<const LinkState> states) {
          EXPECT_LE(states.size(), 2U);
          for (const auto& state : states) seen.push_back(state.system.id);
          return begin_all(states);
        },
        after, 2);
    if (!reviewed.last) {
      EXPECT_EQ(pages, 4);
      break;
    }
    after = *reviewed.last;
  }
  EXPECT_THAT(seen, UnorderedElementsAre(id_of("a"), id_of("b"), id_of("c"), id_of("d"), id_of("e")));
  EXPECT_THAT(listed(), SizeIs(5));
}

TEST_P(LinkFailureContract, ToldOnceToEachChannel) {
  add_systems({"a"});
  silence({"a"}, 10);
  const auto begun = review(700, begin_all).begun;
  EXPECT_EQ(tell(begun, {"chat", "log"}, 701), 1U);
  EXPECT_EQ(tell(begun, {"chat", "log"}, 702), 0U);
  EXPECT_EQ(told(), "chat|firing|org-1\nlog|firing|org-1\n");
  EXPECT_TRUE(states()[0].failure->told);
}

TEST_P(LinkFailureContract, WithoutChannelsItCountsAsToldAllTheSame) {
  add_systems({"a"});
  silence({"a"}, 10);
  EXPECT_EQ(tell(review(700, begin_all).begun, {}, 701), 1U);
  EXPECT_TRUE(states()[0].failure->told);
  EXPECT_THAT(told(), IsEmpty());
}

TEST_P(LinkFailureContract, WhoWasToldHearsOfTheEnd) {
  add_systems({"a", "b"});
  silence({"a", "b"}, 10);
  review(700, begin_all);
  const auto seen = states();
  const auto first = seen[0].failure->alert_id;
  const auto second = seen[1].failure->alert_id;
  tell({first}, {"log"}, 701);
  const auto end_all = [&](std::span<const LinkState>) {
    LinkPlan plan;
    plan.resolved = {first, second};
    return plan;
  };
  review(800, end_all);
  review(801, end_all);
  EXPECT_EQ(told(), "log|firing|org-1\nlog|resolved|org-1\n");
  for (const auto& one : listed()) {
    EXPECT_TRUE(one.alert.is_resolved);
    EXPECT_EQ(one.alert.resolved_at, at(800));
  }
  EXPECT_EQ(states()[0].failure->resolved_at, at(800));
  // Nobody hears now that it began.
  EXPECT_EQ(tell({second}, {"log"}, 802), 0U);
}

TEST_P(LinkFailureContract, AnEndedOutageIsSeenUntilItIsForgotten) {
  add_systems({"a", "b"});
  silence({"a", "b"}, 10);
  review(700, begin_all);
  ASSERT_TRUE(succeeded(stores_.liveness.write(std::vector<liveness::Heartbeat>{{id_of("a"), at(720)}})));
  ASSERT_TRUE(succeeded(stores_.liveness.apply(at(720), std::nullopt)));
  const auto seen = states();
  ASSERT_THAT(seen, SizeIs(2));
  const auto a = std::ranges::find(seen, id_of("a"), [](const LinkState& state) { return state.system.id; });
  const auto b = std::ranges::find(seen, id_of("b"), [](const LinkState& state) { return state.system.id; });
  EXPECT_EQ(a->system.status, "active");
  ASSERT_TRUE(succeeded(stores_.link_failures.forget(std::vector<AlertId>{a->failure->alert_id})));
  ASSERT_THAT(states(), SizeIs(1));
  const auto forget_b = b->failure->alert_id;
  review(730, [&](std::span<const LinkState>) {
    LinkPlan plan;
    plan.forgotten = {forget_b};
    return plan;
  });
  ASSERT_THAT(states(), SizeIs(1));
  EXPECT_FALSE(states()[0].failure.has_value());
  EXPECT_THAT(listed(), SizeIs(2));
}

TEST_P(LinkFailureContract, TheNextOutageTakesThePlaceOfTheLast) {
  add_systems({"a"});
  silence({"a"}, 10);
  const auto first = review(700, begin_all).begun;
  tell(first, {"log"}, 701);
  const auto second = review(800, [&](std::span<const LinkState> states) {
                        LinkPlan plan;
                        plan.resolved = first;
                        plan.begun.push_back(failure_of(states[0]));
                        plan.begun[0].last_heartbeat = at(750);
                        return plan;
                      }).begun;
  ASSERT_THAT(second, SizeIs(1));
  const auto seen = states();
  EXPECT_EQ(seen[0].failure->alert_id, second[0]);
  EXPECT_EQ(seen[0].failure->last_heartbeat, at(750));
  EXPECT_FALSE(seen[0].failure->told);
  EXPECT_THAT(listed(), SizeIs(2));
  EXPECT_EQ(told(), "log|firing|org-1\nlog|resolved|org-1\n");
}

TEST_P(LinkFailureContract, NewLabelsAreKept) {
  add_systems({"a"});
  silence({"a"}, 10);
  const auto begun = review(700, begin_all).begun;
  review(800, [&](std::span<const LinkState>) {
    LinkPlan plan;
    plan.relabelled.push_back({begun[0], {"other", {{"system_key", "k"}}}});
    return plan;
  });
  const auto seen = states();
  EXPECT_EQ(seen[0].failure->posted, (liveness::Posted{"other", {{"system_key", "k"}}}));
  EXPECT_EQ(seen[0].failure->alert_id, begun[0]);
}

TEST_P(LinkFailureContract, AnAlertThatAnOperatorResolvedIsSeen) {
  add_systems({"a"});
  silence({"a"}, 10);
  const auto begun = review(700, begin_all).begun;
  ASSERT_TRUE(succeeded(stores_.alerts.resolve(begun[0], at(750))));
  EXPECT_EQ(states()[0].failure->resolved_at, at(750));
}

TEST_P(LinkFailureContract, WithItsAlertTheOutageGoes) {
  add_systems({"a"});
  silence({"a"}, 10);
  review(700, begin_all);
  sql("delete from inventory_alerts");
  EXPECT_FALSE(states()[0].failure.has_value());
}

TEST_P(LinkFailureContract, TheFleetIsCounted) {
  auto count = stores_.link_failures.count();
  ASSERT_TRUE(succeeded(count));
  EXPECT_THAT(count->by_status, IsEmpty());
  EXPECT_EQ(count->active, 0U);

  add_systems({"a", "b", "c", "d", "deleted"});
  silence({"a", "b"}, 10);
  ASSERT_TRUE(succeeded(stores_.liveness.write(std::vector<liveness::Heartbeat>{
      {id_of("c"), at(50)}, {id_of("d"), at(50)}, {id_of("deleted"), at(50)}})));
  ASSERT_TRUE(succeeded(stores_.liveness.apply(at(50), std::nullopt)));
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("deleted"), removal, at(51))));
  systems::SystemChange suspension;
  suspension.suspension = systems::SystemChange::Suspension::suspend;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("d"), suspension, at(51))));
  const auto begun = review(700, begin_all).begun;
  ASSERT_TRUE(succeeded(stores_.alerts.resolve(begun[0], at(750))));
  count = stores_.link_failures.count();
  ASSERT_TRUE(succeeded(count));
  EXPECT_EQ(count->by_status.at("inactive"), 2U);
  EXPECT_EQ(count->by_status.at("active"), 2U);
  EXPECT_EQ(count->active, 1U);
  EXPECT_EQ(count->link_failed, 1U);
}

TEST_P(LinkFailureContract, NobodySilentMeansNobodyAsked) {
  add_systems({"a"});
  const auto reviewed = review(700, [](std::span<const LinkState>) {
    ADD_FAILURE() << "asked";
    return LinkPlan{};
  });
  EXPECT_EQ(reviewed.last, std::nullopt);
  silence({"a"}, 10);
  EXPECT_EQ(review(700, nothing).last, id_of("a"));
  EXPECT_EQ(review(700, nothing, id_of("a")).last, std::nullopt);
}

}  // namespace
}  // namespace collect::test
