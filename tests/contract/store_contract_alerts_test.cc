// SPDX-License-Identifier: Apache-2.0
// AlertStore.
#include <fmt/format.h>

#include <thread>

#include "contract/alerts_contract.h"

namespace collect::test {
namespace {

using alerts::AlertFilter;
using alerts::AlertId;
using alerts::NotifyPlan;
using alerts::NotifyState;
using diff::Severity;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class AlertStoreContract : public AlertsContract {
 protected:
  std::string told() {
    return sql("select channel, news, alert_id from alert_notifications order by channel, news, alert_id");
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, AlertStoreContract, testing::ValuesIn(store_engines()), engine_name);

std::vector<std::string> messages(const std::vector<alerts::ListedAlert>& listed) {
  std::vector<std::string> messages;
  for (const auto& one : listed) messages.push_back(one.alert.message);
  return messages;
}

std::int64_t number(AlertId id) {
  return static_cast<std::int64_t>(id);
}

TEST_P(AlertStoreContract, ManyQuestionsAreAllAnswered) {
  add_systems({"a", "b", "c"});
  std::vector<alerts::NotifyQuestion> questions;
  for (const char* system : {"a", "b", "c"}) {
    const auto record = changed(system, {change("facts.x", "1", "2")}, 10);
    questions.push_back({id_of(system), {record}, at(0), at(20)});
  }
  std::ranges::sort(questions, {}, &alerts::NotifyQuestion::system_id);
  const auto told = stores_.alerts.notify_all(questions, one_each("rule", Severity::high, {"log"}));
  ASSERT_TRUE(succeeded(told));
  ASSERT_EQ(told->size(), 3U);
  for (const auto& one : *told) {
    EXPECT_EQ(one.diffs, 1U);
    EXPECT_EQ(one.alerts, 1U);
  }
  EXPECT_EQ(listed({}).size(), 3U);
  EXPECT_EQ(stores_.alerts.unfinished(at(1000), 10)->size(), 0U);
}

TEST_P(AlertStoreContract, ShowsWhatIsUnsentAndStoresWhatIsDecided) {
  add_systems({"a", "b"});
  auto low = change("net.mtu", std::nullopt, R"({"v":[1500]})");
  low.severity = Severity::low;
  low.category = "network";
  const auto record = changed("a", {change("os.version", "null", std::nullopt), low}, 10);
  const auto other = changed("a", {change("os.name", "1", "2")}, 11);
  changed("b", {change("os.name", "1", "2")}, 12);
  const auto done = notify("a", {record, record}, 20, [&](const NotifyState& state) {
    EXPECT_EQ(state.system.id, id_of("a"));
    EXPECT_EQ(state.system.system_key, "NETH-a");
    EXPECT_EQ(state.system.organization.name, "First");
    EXPECT_EQ(state.unsent.size(), 2U);
    const auto& first = state.unsent.at(0);
    const auto& second = state.unsent.at(1);
    EXPECT_LT(first.id, second.id);
    EXPECT_EQ(first.record_id, record);
    EXPECT_EQ(first.type, diff::ChangeType::delete_);
    EXPECT_EQ(first.category, "os");
    EXPECT_EQ(first.severity, Severity::high);
    EXPECT_EQ(first.field_path, "os.version");
    EXPECT_EQ(first.previous_value, "null");
    EXPECT_EQ(first.current_value, std::nullopt);
    EXPECT_EQ(first.created_at, at(10));
    EXPECT_EQ(second.type, diff::ChangeType::create);
    EXPECT_EQ(second.severity, Severity::low);
    EXPECT_EQ(second.previous_value, std::nullopt);
    EXPECT_TRUE(same_json(*second.current_value, R"({"v":[1500]})"));
    EXPECT_THAT(state.open, IsEmpty());
    EXPECT_THAT(state.last_pattern, IsEmpty());
    EXPECT_THAT(state.occurrences,
                ElementsAre(Pair("net.mtu", ElementsAre(at(10))), Pair("os.version", ElementsAre(at(10)))));
    NotifyPlan plan;
    plan.alerts.push_back(
        {first.id, "os", "os_changed", "OS {\"gone\"}", Severity::critical, {"mail", "log", "mail"}});
    return plan;
  });
  ASSERT_TRUE(succeeded(done));
  EXPECT_EQ(done->diffs, 2U);
  EXPECT_EQ(done->alerts, 1U);
  EXPECT_EQ(done->resolved, 0U);

  ASSERT_THAT(listed(), SizeIs(1));
  const auto [alert, key, name] = listed()[0];
  EXPECT_EQ(key, "NETH-a");
  EXPECT_EQ(name, "");
  EXPECT_EQ(alert.system_id, id_of("a"));
  EXPECT_TRUE(alert.diff_id.has_value());
  EXPECT_EQ(alert.rule, "os");
  EXPECT_EQ(alert.alert_type, "os_changed");
  EXPECT_EQ(alert.message, "OS {\"gone\"}");
  EXPECT_EQ(alert.severity, Severity::critical);
  EXPECT_FALSE(alert.is_resolved);
  EXPECT_EQ(alert.resolved_at, std::nullopt);
  EXPECT_EQ(alert.created_at, at(20));
  EXPECT_EQ(alert.updated_at, at(20));
  EXPECT_EQ(alert.field_path, "os.version");
  EXPECT_EQ(told(), fmt::format("log|firing|{0}\nmail|firing|{0}\n", number(alert.id)));

  // All of it is sent now, alert or not; the rest of the system still waits.
  const auto again = notify("a", {record}, 21, nobody_asks);
  ASSERT_TRUE(succeeded(again));
  EXPECT_EQ(again->diffs, 0U);
  EXPECT_EQ(notify("a", {other}, 22, no_alert)->diffs, 1U);
  EXPECT_EQ(sql("select count(*) from inventory_diffs where notification_sent"), "3\n");
}

TEST_P(AlertStoreContract, EarlierRecordsOfTheSystemComeFirst) {
  add_systems({"a", "b"});
  changed("b", {change("x", "0", "1")}, 5);
  const auto first = changed("a", {change("x", "1", "2")}, 10);
  const auto second = changed("a", {change("y", "1", "2")}, 11);
  const auto third = changed("a", {change("x", "2", "1")}, 12);
  const auto held = notify("a", {third}, 20, nobody_asks);
  ASSERT_TRUE(succeeded(held));
  EXPECT_EQ(held->earlier, first);
  EXPECT_EQ(held->diffs, 0U);
  EXPECT_EQ(notify("a", {third, second}, 20, nobody_asks)->earlier, first);
  EXPECT_EQ(notify("a", {first}, 20, no_alert)->earlier, std::nullopt);
  EXPECT_EQ(notify("a", {third}, 21, nobody_asks)->earlier, second);

  const std::vector records = {third};
  const auto forced = stores_.alerts.notify({id_of("a"), records, at(0), at(22), true}, no_alert);
  ASSERT_TRUE(succeeded(forced));
  EXPECT_EQ(forced->earlier, std::nullopt);
  EXPECT_EQ(forced->diffs, 1U);
  EXPECT_EQ(notify("a", {third}, 23, nobody_asks)->earlier, std::nullopt) << "it has nothing to tell";
  EXPECT_EQ(notify("a", {second}, 24, no_alert)->diffs, 1U);
}

TEST_P(AlertStoreContract, OneAlertOfARuleAndADiffWhateverIsDeliveredTwice) {
  add_systems({"a"});
  const auto record = changed("a", {change("x", "1", "2"), change("y", "1", "2")}, 10);
  ASSERT_TRUE(succeeded(notify("a", {record}, 20, one_each("rule", Severity::high, {"log"}))));
  const auto before = sql("select * from inventory_alerts order by id");
  const auto told_before = told();

  sql("update inventory_diffs set notification_sent = false");
  const auto again = notify("a", {record}, 30, [](const NotifyState& state) {
    EXPECT_EQ(state.open.size(), 2U);
    // The rules were changed meanwhile.
    auto plan = one_each("rule", Severity::critical, {"log", "mail"})(state);
    plan.alerts.push_back({state.unsent[0].id, "new", "t", "new rule", Severity::low, {"mail"}});
    return plan;
  });
  ASSERT_TRUE(succeeded(again));
  EXPECT_EQ(again->diffs, 2U);
  EXPECT_EQ(again->alerts, 1U);
  const auto newest = listed()[0].alert;
  EXPECT_EQ(newest.rule, "new");
  EXPECT_EQ(sql(fmt::format("select * from inventory_alerts where id < {} order by id", number(newest.id))),
            before);
  EXPECT_EQ(told(), told_before + fmt::format("mail|firing|{}\n", number(newest.id)));
}

TEST_P(AlertStoreContract, OfTwoForOneRuleAndDiffTheFirstIsKept) {
  add_systems({"a"});
  const auto record = changed("a", {change("x", "1", "2")}, 10);
  const auto done = notify("a", {record}, 20, [](const NotifyState& state) {
    NotifyPlan plan;
    plan.alerts.push_back({state.unsent[0].id, "r", "t", "first", Severity::low, {"log"}});
    plan.alerts.push_back({state.unsent[0].id, "r", "t", "second", Severity::low, {"mail"}});
    return plan;
  });
  ASSERT_TRUE(succeeded(done));
  EXPECT_EQ(done->alerts, 1U);
  EXPECT_THAT(messages(listed()), ElementsAre("first"));
  EXPECT_EQ(told(), fmt::format("log|firing|{}\n", number(listed()[0].alert.id)));
}

TEST_P(AlertStoreContract, TwoNotifiersAtATimeMakeOneAlert) {
  add_systems({"a"});
  std::vector<RecordId> records;
  for (int i = 0; i < 20; ++i) records.push_back(changed("a", {change("x", "1", "2")}, 10 + i));
  const auto all = [&] {
    std::size_t alerts = 0;
    for (const auto record : records) {
      const auto done = notify("a", {record}, 50, one_each("rule", Severity::high, {"log"}));
      alerts += done ? done->alerts : 1000;
    }
    return alerts;
  };
  std::size_t others = 0;
  std::thread other([&] { others = all(); });
  const auto mine = all();
  other.join();
  EXPECT_EQ(mine + others, records.size());
  EXPECT_EQ(sql("select count(*) from alert_notifications"), "20\n");
}

TEST_P(AlertStoreContract, ShowsOpenAlertsOfTheSamePathsAndWhatLiesInThem) {
  add_systems({"a", "b"});
  alert("a", {"x", "y", "x.%.deep", "x1"}, 10, Severity::high, {"log"});
  alert("b", {"x"}, 12, Severity::high, {"log"});
  const auto of_a = listed({.system_id = id_of("a")});
  ASSERT_EQ(of_a.size(), 4U);
  const auto at_path = [&](std::string_view path) {
    return std::ranges::find(of_a, path, [](const auto& one) { return one.alert.field_path; })->alert;
  };
  const auto x = at_path("x");
  const auto deep = at_path("x.%.deep");
  sql(fmt::format(
      "insert into inventory_alerts (system_id, diff_id, alert_type, message, severity, is_resolved, "
      "created_at, updated_at) select system_id, diff_id, alert_type, message, severity, is_resolved, "
      "created_at, updated_at from inventory_alerts where id = {}",
      number(x.id)));  // another program's
  const auto record = changed("a", {change("x", "2", R"({"new":1})"), change("z", "1", "2")}, 20);
  ASSERT_TRUE(succeeded(notify("a", {record}, 21, [&](const NotifyState& state) {
    EXPECT_EQ(state.open.size(), 2U);
    const auto& open = *std::ranges::find(state.open, x.id, &alerts::OpenAlert::id);
    EXPECT_TRUE(std::ranges::is_sorted(state.open, {}, &alerts::OpenAlert::id));
    EXPECT_EQ(std::ranges::count(state.open, deep.id, &alerts::OpenAlert::id), 1);
    EXPECT_EQ(open.rule, "rule");
    EXPECT_EQ(open.type, diff::ChangeType::update);
    EXPECT_EQ(open.field_path, "x");
    EXPECT_EQ(open.previous_value, "1");
    return NotifyPlan{};
  })));
}

TEST_P(AlertStoreContract, CountsHowOftenAPathChanged) {
  add_systems({"a", "b"});
  changed("a", {change("x", "1", "2")}, 10);
  changed("a", {change("x", "2", "1"), change("y", "1", "2")}, 20);
  changed("b", {change("x", "1", "2")}, 25);
  const auto record = changed("a", {change("x", "1", "2"), change("z", "1", "2")}, 30);
  const auto asked = [&](Time since, auto check) {
    sql("update inventory_diffs set notification_sent = false");
    const std::vector records = {record};
    ASSERT_TRUE(
        succeeded(stores_.alerts.notify({id_of("a"), records, since, at(40)}, [&](const NotifyState& state) {
          check(state);
          return NotifyPlan{};
        })));
  };
  asked(at(0), [](const NotifyState& state) {
    EXPECT_THAT(state.occurrences,
                ElementsAre(Pair("x", ElementsAre(at(10), at(20), at(30))), Pair("z", ElementsAre(at(30)))));
  });
  asked(at(20), [](const NotifyState& state) {
    EXPECT_THAT(state.occurrences, ElementsAre(Pair("x", ElementsAre(at(20), at(30))), Pair("z", SizeIs(1))));
  });
  asked(at(31), [](const NotifyState& state) {
    EXPECT_THAT(state.occurrences, ElementsAre(Pair("x", IsEmpty()), Pair("z", IsEmpty())));
  });
}

TEST_P(AlertStoreContract, ShowsTheLastPatternAlertOfAPath) {
  add_systems({"a", "b"});
  const auto with_pattern = [&](std::string_view system, std::int64_t seconds) {
    const auto record = changed(system, {change("x", "1", "2"), change("y", "1", "2")}, seconds);
    ASSERT_TRUE(succeeded(notify(system, {record}, seconds + 5, [](const NotifyState& state) {
      NotifyPlan plan;
      plan.alerts.push_back({state.unsent[0].id, "pattern", "pattern", "flaps", Severity::high, {}});
      plan.alerts.push_back({state.unsent[1].id, "other", "t", "m", Severity::high, {}});
      return plan;
    })));
  };
  with_pattern("a", 10);
  with_pattern("a", 20);
  with_pattern("b", 30);
  ASSERT_TRUE(*stores_.alerts.resolve(listed({.system_id = id_of("a")})[1].alert.id, at(32)));
  const auto record = changed("a", {change("x", "1", "2"), change("y", "1", "2")}, 40);
  ASSERT_TRUE(succeeded(notify("a", {record}, 41, [](const NotifyState& state) {
    EXPECT_THAT(state.last_pattern, ElementsAre(Pair("x", at(20))));
    return NotifyPlan{};
  })));
}

TEST_P(AlertStoreContract, OfManyQuestionsEachIsAnsweredByItsOwnPast) {
  add_systems({"a", "b", "c"});
  alert("a", {"x", "y.z"}, 10, Severity::high, {"log"});
  alert("b", {"y"}, 10, Severity::high, {"log"});
  const auto flapped = changed("b", {change("x", "1", "2")}, 20);
  ASSERT_TRUE(succeeded(notify("b", {flapped}, 21, [](const NotifyState& state) {
    return NotifyPlan{{{state.unsent[0].id, "pattern", "pattern", "flaps", Severity::high, {}}}, {}};
  })));
  changed("c", {change("x", "1", "2"), change("y", "1", "2")}, 25);
  std::vector<std::vector<RecordId>> records;
  std::vector<alerts::NotifyQuestion> questions;
  for (const char* system : {"a", "b", "c"}) {
    records.push_back({changed(system, {change("x", "2", "1"), change("y", "2", "1")}, 40)});
    questions.push_back({.system_id = id_of(system),
                         .records = records.back(),
                         .since = at(system == std::string_view("a") ? 35 : 0),
                         .now = at(50),
                         .out_of_order = true,
                         .window = std::chrono::seconds(100)});
  }
  std::ranges::sort(questions, {}, &alerts::NotifyQuestion::system_id);
  std::map<std::string, std::string> seen;
  const auto told = stores_.alerts.notify_all(questions, [&](const NotifyState& state) {
    auto& text = seen[state.system.id.text()];
    for (const auto& open : state.open) text += fmt::format("open {} {}; ", open.rule, open.field_path);
    for (const auto& [path, when] : state.last_pattern)
      text += fmt::format("pattern {} {}; ", path, when == at(20));
    for (const auto& [path, times] : state.occurrences) text += fmt::format("{} {}; ", path, times.size());
    return NotifyPlan{};
  });
  ASSERT_TRUE(succeeded(told));
  EXPECT_THAT(seen, testing::UnorderedElementsAre(
                        Pair(id_of("a").text(), "open rule x; open rule y.z; x 1; y 1; "),
                        Pair(id_of("b").text(), "open rule y; open pattern x; pattern x true; y 2; "),
                        Pair(id_of("c").text(), "x 2; y 2; ")));
}

// All that happened to a path that flaps is read when the next pattern alert may come, and not each time.
TEST_P(AlertStoreContract, CountsAPathOnlyWhenAPatternAlertMayFollow) {
  add_systems({"a"});
  const auto flapped = changed("a", {change("x", "1", "2"), change("y", "1", "2")}, 10);
  ASSERT_TRUE(succeeded(notify("a", {flapped}, 11, [](const NotifyState& state) {
    NotifyPlan plan;
    plan.alerts.push_back({state.unsent[0].id, "pattern", "pattern", "flaps", Severity::high, {}});
    return plan;
  })));
  changed("a", {change("x", "2", "1")}, 20);
  const auto record = changed("a", {change("x", "1", "2"), change("y", "2", "1")}, 30);
  const auto counted = [&](std::int64_t window) {
    const std::vector records = {record};
    std::vector<std::pair<std::string, std::size_t>> paths;
    const auto done = stores_.alerts.notify({.system_id = id_of("a"),
                                             .records = records,
                                             .since = at(0),
                                             .now = at(40),
                                             .out_of_order = true,
                                             .window = std::chrono::seconds(window)},
                                            [&](const NotifyState& state) {
                                              for (const auto& [path, times] : state.occurrences)
                                                paths.emplace_back(path, times.size());
                                              return NotifyPlan{};
                                            });
    EXPECT_TRUE(succeeded(done));
    sql("update inventory_diffs set notification_sent = false where current_id = " +
        std::to_string(static_cast<std::int64_t>(record)));
    return paths;
  };
  EXPECT_THAT(counted(21), ElementsAre(Pair("y", 2U)));
  EXPECT_THAT(counted(20), ElementsAre(Pair("x", 3U), Pair("y", 2U)));
}

TEST_P(AlertStoreContract, APlanResolvesAndTellsWhomItNames) {
  add_systems({"a", "b"});
  alert("a", {"x", "y"}, 10, Severity::critical, {"log"});
  alert("b", {"x"}, 12, Severity::high, {"log"});
  const auto of_b = listed()[0].alert.id;
  const auto y = listed()[1].alert.id;
  const auto x = listed()[2].alert.id;
  sql("delete from alert_notifications");
  const auto record = changed("a", {change("x", "2", "1")}, 20);
  const auto done = notify("a", {record}, 21, [&](const NotifyState& state) {
    NotifyPlan plan = one_each("rule", Severity::low, {"log"})(state);
    plan.resolved = {{x, {"mail", "mail", "log"}}, {of_b, {"log"}}};
    return plan;
  });
  ASSERT_TRUE(succeeded(done));
  EXPECT_EQ(done->alerts, 1U);
  EXPECT_EQ(done->resolved, 1U);
  const auto resolved = (*stores_.alerts.find(x))->alert;
  EXPECT_TRUE(resolved.is_resolved);
  EXPECT_EQ(resolved.resolved_at, at(21));
  EXPECT_EQ(resolved.updated_at, at(21));
  EXPECT_EQ(resolved.created_at, at(11));
  EXPECT_FALSE((*stores_.alerts.find(y))->alert.is_resolved);
  EXPECT_FALSE((*stores_.alerts.find(of_b))->alert.is_resolved);
  EXPECT_EQ(
      sql("select channel, news, alert_id, case when critical then 'critical' end from alert_notifications "
          "order by channel, news"),
      fmt::format("log|firing|{}|\nlog|resolved|{}|critical\nmail|resolved|{}|critical\n",
                  number(listed()[0].alert.id), number(x), number(x)));

  const auto next = changed("a", {change("x", "1", "2")}, 30);
  const auto twice = notify("a", {next}, 31, [&](const NotifyState& state) {
    for (const auto& open : state.open) EXPECT_NE(open.id, x);
    NotifyPlan plan;
    plan.resolved = {{x, {"log"}}};
    return plan;
  });
  ASSERT_TRUE(succeeded(twice));
  EXPECT_EQ(twice->resolved, 0U);
  EXPECT_EQ((*stores_.alerts.find(x))->alert.resolved_at, at(21));
  EXPECT_EQ(sql("select count(*) from alert_notifications"), "3\n");
}

TEST_P(AlertStoreContract, AFailureOfTheCallerLeavesItUnsent) {
  add_systems({"a"});
  const auto record = changed("a", {change("x", "1", "2")}, 10);
  EXPECT_THROW((void)notify("a", {record}, 20,
                            [](const NotifyState&) -> NotifyPlan { throw std::logic_error("bug"); }),
               std::logic_error);
  // A diff that is not there.
  const auto nonsense = notify("a", {record}, 20, [](const NotifyState& state) {
    auto plan = one_each("rule", Severity::low, {"log"})(state);
    plan.alerts.push_back({DiffId{999999}, "r", "t", "m", Severity::low, {"log"}});
    return plan;
  });
  EXPECT_EQ(kind_of(nonsense), "invalid");
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_EQ(told(), "");
  EXPECT_EQ(notify("a", {record}, 21, no_alert)->diffs, 1U);
}

TEST_P(AlertStoreContract, SystemsThatAreNotThereAskNobody) {
  add_systems({"a"});
  const auto record = changed("a", {change("x", "1", "2")}, 10);
  EXPECT_EQ(notify("unknown", {record}, 20, nobody_asks)->diffs, 0U);
  for (const auto& id : {SystemId("no uuid"), SystemId(std::string("\0\xff", 2)), SystemId()}) {
    const std::vector records = {record};
    const auto done = stores_.alerts.notify({id, records, at(0), at(20)}, nobody_asks);
    ASSERT_TRUE(succeeded(done));
  }
  EXPECT_EQ(notify("a", {}, 20, nobody_asks)->diffs, 0U);
  EXPECT_THAT(*stores_.alerts.unfinished(at(1000), 10), SizeIs(1));
  sql("delete from systems");
  EXPECT_EQ(notify("a", {record}, 20, nobody_asks)->diffs, 0U);
  EXPECT_THAT(*stores_.alerts.unfinished(at(1000), 10), IsEmpty());
}

TEST_P(AlertStoreContract, DeletedSystemsAreToldAndListed) {
  add_systems({"a"});
  alert("a", {"x"}, 10, Severity::high, {"log"});
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("a"), removal, at(20))));
  const auto record = changed("a", {change("y", "1", "2")}, 30);
  ASSERT_TRUE(succeeded(notify("a", {record}, 31, [](const NotifyState& state) {
    EXPECT_EQ(state.system.deleted_at, at(20));
    return one_each("rule", Severity::high, {"log"})(state);
  })));
  EXPECT_THAT(messages(listed()), ElementsAre("y changed", "x changed"));
}

TEST_P(AlertStoreContract, NotificationsNameTheOrganizationByOneId) {
  add_systems({"a"});
  sql(fmt::format("update systems set organization_id = '{}'", id_of("organization 1").text()));
  alert("a", {"x"}, 10, Severity::critical, {"log"});
  sql("update systems set organization_id = 'owner'");
  alert("a", {"y"}, 12, Severity::high, {"log"});
  EXPECT_EQ(sql("select system_id, organization_id, case when critical then 1 else 0 end from "
                "alert_notifications order by id"),
            fmt::format("{0}|org-1|1\n{0}|owner|0\n", id_of("a").text()));
}

TEST_P(AlertStoreContract, AnOperatorResolvesOnceAndThoseWhoWereToldAreTold) {
  add_systems({"a"});
  alert("a", {"x"}, 10, Severity::critical, {"mail", "log"});
  alert("a", {"y"}, 12, Severity::high, {});
  const auto y = listed()[0].alert.id;
  const auto x = listed()[1].alert.id;
  const auto done = stores_.alerts.resolve(x, at(20));
  ASSERT_TRUE(succeeded(done));
  EXPECT_TRUE(*done);
  EXPECT_EQ((*stores_.alerts.find(x))->alert.resolved_at, at(20));
  EXPECT_EQ((*stores_.alerts.find(x))->alert.updated_at, at(20));
  EXPECT_EQ(told(),
            fmt::format("log|firing|{0}\nlog|resolved|{0}\nmail|firing|{0}\nmail|resolved|{0}\n", number(x)));
  EXPECT_EQ(
      sql("select distinct organization_id, system_id from alert_notifications where news = 'resolved'"),
      fmt::format("org-1|{}\n", id_of("a").text()));
  EXPECT_FALSE(*stores_.alerts.resolve(x, at(30)));
  EXPECT_EQ((*stores_.alerts.find(x))->alert.resolved_at, at(20));
  EXPECT_TRUE(*stores_.alerts.resolve(y, at(30)));
  EXPECT_EQ(sql("select count(*) from alert_notifications"), "4\n");
  EXPECT_EQ(kind_of(stores_.alerts.resolve(AlertId{999999}, at(30))), "not_found");
}

TEST_P(AlertStoreContract, AlertsAreFilteredAndPaged) {
  add_systems({"a"});
  add_organization_with_system("org-2", "b");
  alert("a", {"1"}, 10, Severity::low, {});
  alert("a", {"2", "3"}, 20, Severity::high, {});
  alert("b", {"4"}, 30, Severity::critical, {});
  const auto record = changed("b", {change("5", "1", "2")}, 40);
  ASSERT_TRUE(succeeded(notify("b", {record}, 41, [](const NotifyState& state) {
    NotifyPlan plan;
    plan.alerts.push_back({state.unsent[0].id, "r", "special", "5 changed", Severity::medium, {}});
    return plan;
  })));
  sql("update systems set name = 'Office' where system_key = 'NETH-b'");
  const auto all = listed();
  ASSERT_THAT(all, SizeIs(5));
  ASSERT_TRUE(*stores_.alerts.resolve(all[1].alert.id, at(50)));
  const auto found = [&](const AlertFilter& filter) {
    std::string paths;
    for (const auto& one : listed(filter)) paths += one.alert.field_path;
    // As many are counted, whatever the page.
    AlertFilter whole = filter;
    whole.before = std::nullopt;
    whole.limit = std::nullopt;
    whole.skip = 0;
    const auto count = stores_.alerts.count(filter);
    EXPECT_TRUE(succeeded(count));
    EXPECT_EQ(count->count, static_cast<std::int64_t>(listed(whole).size()));
    return paths;
  };
  EXPECT_EQ(found({}), "54321");
  EXPECT_EQ(found({.system_id = id_of("a")}), "321");
  EXPECT_EQ(found({.system_id = SystemId("no uuid")}), "");
  EXPECT_EQ(found({.organization_id = OrganizationId("org-2")}), "54");
  EXPECT_EQ(found({.organization_id = OrganizationId(id_of("organization org-2").text())}), "54");
  EXPECT_EQ(found({.organization_id = OrganizationId("nobody")}), "");
  EXPECT_EQ(found({.alert_type = "special"}), "5");
  EXPECT_EQ(found({.least_severity = Severity::low}), "54321");
  EXPECT_EQ(found({.least_severity = Severity::medium}), "5432");
  EXPECT_EQ(found({.least_severity = Severity::critical}), "4");
  EXPECT_EQ(found({.resolved = true}), "4");
  EXPECT_EQ(found({.resolved = false}), "5321");
  EXPECT_EQ(found({.since = at(21)}), "5432");
  EXPECT_EQ(found({.since = at(22)}), "54");
  EXPECT_EQ(found({.limit = 2}), "54");
  EXPECT_EQ(found({.before = all[1].alert.id, .limit = 2}), "32");
  EXPECT_EQ(found({.before = all[4].alert.id}), "");
  EXPECT_EQ(found({.skip = 1, .limit = 2}), "43");
  EXPECT_EQ(found({.skip = 5, .limit = 2}), "");
  EXPECT_EQ(found({.system_id = id_of("b"),
                   .organization_id = OrganizationId("org-2"),
                   .alert_type = "change",
                   .least_severity = Severity::high,
                   .resolved = true,
                   .since = at(31),
                   .before = all[0].alert.id,
                   .limit = 1}),
            "4");
  EXPECT_EQ(all[0].system_key, "NETH-b");
  EXPECT_EQ(all[0].system_name, "Office");
  EXPECT_EQ(all[4].system_name, "");
}

TEST_P(AlertStoreContract, AnAlertIsFoundByItsIdWithAndWithoutADiff) {
  add_systems({"a"});
  alert("a", {"x"}, 10, Severity::high, {});
  sql("insert into inventory_alerts (system_id, alert_type, message, severity, is_resolved, resolved_at, "
      "created_at, updated_at) select id, 'link_failed', 'silent', 'critical', true, created_at, created_at, "
      "created_at from systems");
  const auto found = stores_.alerts.find(listed()[0].alert.id);
  ASSERT_TRUE(succeeded(found));
  ASSERT_TRUE(found->has_value());
  const auto& alert = (*found)->alert;
  EXPECT_EQ(alert.diff_id, std::nullopt);
  EXPECT_EQ(alert.rule, "");
  EXPECT_EQ(alert.alert_type, "link_failed");
  EXPECT_EQ(alert.field_path, "");
  EXPECT_TRUE(alert.is_resolved);
  EXPECT_EQ(alert.resolved_at, at(0));
  EXPECT_EQ((*found)->system_key, "NETH-a");
  EXPECT_EQ((*found)->type, std::nullopt);
  EXPECT_EQ((*found)->current_value, std::nullopt);
  const auto with_diff = stores_.alerts.find(listed()[1].alert.id);
  ASSERT_TRUE(succeeded(with_diff));
  EXPECT_EQ((*with_diff)->alert.field_path, "x");
  EXPECT_EQ((*with_diff)->type, diff::ChangeType::update);
  EXPECT_EQ((*with_diff)->previous_value, "1");
  EXPECT_EQ((*with_diff)->current_value, "2");
  EXPECT_EQ(*stores_.alerts.find(AlertId{999999}), std::nullopt);
}

TEST_P(AlertStoreContract, AlertsAboutASystemStandOnceUntilTheyAreResolved) {
  add_systems({"a", "b"});
  const auto raise = [&](std::string_view word, const std::string& rule, std::int64_t seconds) {
    const auto raised = stores_.alerts.raise({id_of(word),
                                              OrganizationId("org-1"),
                                              rule,
                                              word.data(),
                                              Severity::critical,
                                              {"chat", "mail", "chat"}},
                                             at(seconds));
    EXPECT_TRUE(succeeded(raised));
    return raised.ok() && *raised;
  };
  EXPECT_TRUE(raise("a", "one", 10));
  EXPECT_FALSE(raise("a", "one", 11));
  EXPECT_TRUE(raise("a", "two", 12));
  EXPECT_TRUE(raise("b", "one", 13));
  EXPECT_FALSE(raise("gone", "one", 14));
  const auto all = listed();
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[2].alert.system_id, id_of("a"));
  EXPECT_EQ(all[2].alert.rule, "one");
  EXPECT_EQ(all[2].alert.alert_type, "one");
  EXPECT_EQ(all[2].alert.message, "a");
  EXPECT_EQ(all[2].alert.severity, Severity::critical);
  EXPECT_EQ(all[2].alert.created_at, at(10));
  EXPECT_EQ(all[2].alert.diff_id, std::nullopt);
  const auto told = [&] {
    return sql("select channel, news, system_id, organization_id from alert_notifications where alert_id = " +
               std::to_string(static_cast<std::int64_t>(all[2].alert.id)) + " order by news, channel");
  };
  const std::string whom = "|" + id_of("a").text() + "|org-1\n";
  EXPECT_EQ(told(), "chat|firing" + whom + "mail|firing" + whom);
  ASSERT_TRUE(succeeded(stores_.alerts.resolve(all[2].alert.id, at(20))));
  EXPECT_EQ(told(),
            "chat|firing" + whom + "mail|firing" + whom + "chat|resolved" + whom + "mail|resolved" + whom);
  EXPECT_TRUE(raise("a", "one", 30));
}

TEST_P(AlertStoreContract, UnfinishedRecordsAreThoseWithUnsentDiffs) {
  add_systems({"a", "b"});
  const auto first = changed("a", {change("x", "1", "2"), change("y", "1", "2")}, 10);
  const auto second = changed("b", {change("x", "1", "2")}, 20);
  changed("b", {}, 21);
  const auto found = [&](std::int64_t seconds, std::size_t limit) {
    std::vector<std::pair<SystemId, RecordId>> records;
    const auto unfinished = stores_.alerts.unfinished(at(seconds), limit);
    for (const auto& one : *unfinished) {
      records.emplace_back(one.system_id, one.record_id);
    }
    return records;
  };
  EXPECT_THAT(found(10, 10), IsEmpty());
  EXPECT_THAT(found(11, 10), ElementsAre(Pair(id_of("a"), first)));
  EXPECT_THAT(found(100, 10), ElementsAre(Pair(id_of("a"), first), Pair(id_of("b"), second)));
  EXPECT_THAT(found(100, 1), ElementsAre(Pair(id_of("a"), first)));
  ASSERT_TRUE(succeeded(notify("a", {first}, 30, no_alert)));
  EXPECT_THAT(found(100, 10), ElementsAre(Pair(id_of("b"), second)));
}

}  // namespace
}  // namespace collect::test
