// SPDX-License-Identifier: Apache-2.0
// Timelines of systems that go silent, on each engine.
#include <fmt/format.h>

#include <map>

#include "alertmanager/scripted_upstream_for_test.h"
#include "alerts/dispatch_plan.h"
#include "base/json.h"
#include "contract/store_contract.h"
#include "liveness/heartbeat_monitor.h"
#include "liveness/link_failed_monitor.h"
#include "support/alertmanager_server.h"
#include "support/process.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using alertmanager::Received;
using alertmanager::Scripted;
using alertmanager::ScriptedUpstream;
using liveness::FleetMood;
using liveness::LinkRound;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::string_view kRules = R"(
notifications:
  channels: { chat: { type: webhook, url: 'http://127.0.0.1:1/' }, tenant: { type: alertmanager } }
  default_channels: [chat, tenant]
)";

// An alert as it was posted.
struct Posted {
  std::string tenant;
  std::string key;  // system_key
  std::string starts_at;
  std::string ends_at;
};
std::vector<Posted> alerts_in(const std::vector<Received>& requests) {
  std::vector<Posted> alerts;
  for (const auto& request : requests) {
    EXPECT_EQ(request.target, "/alertmanager/api/v2/alerts");
    const auto list = json::Document::parse(request.body);
    for (const auto& alert : list.value().root().elements) {
      EXPECT_EQ(alert.at({"labels", "alertname"})->text, "LinkFailed");
      EXPECT_EQ(alert.at({"labels", "severity"})->text, "critical");
      EXPECT_EQ(alert.at({"labels", "managed_by"})->text, "my-collect");
      alerts.push_back({request.header("X-Scope-OrgID"),
                        std::string(alert.at({"labels", "system_key"})->text),
                        std::string(alert.at({"startsAt"})->text), std::string(alert.at({"endsAt"})->text)});
    }
  }
  return alerts;
}

class LinkFailed : public StoreContract {
 protected:
  // The day begins at a time that a real Alertmanager takes for now.
  LinkFailed() : clock(start_) { start(""); }

  static constexpr Duration kTimeout = 10min;
  // Another process of Collect with that MIMIR_URL; the scripted upstream's when it is empty.
  void start(const std::string& url) {
    monitor.reset();
    client = std::make_unique<alertmanager::TenantClient>(
        url.empty() ? upstream.url() : url,
        alertmanager::TenantClientOptions{.http = {}, .first_pause = 1ms, .most_tries = 2});
    start_monitor();
  }
  void start_monitor() {
    monitor = std::make_unique<liveness::LinkFailedMonitor>(
        stores_.link_failures, *client,
        [this] { return alerts::NotificationRules::load(rules, "test").value(); }, [this] { ++wakes; },
        options);
  }
  LinkRound round() {
    auto done = monitor->run(clock.now());
    if (!done) throw std::runtime_error(done.failure().message);
    return *done;
  }
  void add(const std::string& word, const std::string& organization = "org-1") {
    if (organization != "org-1" && organizations_.insert(organization).second) {
      systems::Organization made;
      made.row_id = id_of("organization " + organization).text();
      made.logto_id = OrganizationId(organization);
      made.name = organization;
      ASSERT_TRUE(succeeded(stores_.systems.create_organization(made, at(0))));
    }
    auto system = new_system(word);
    system.organization_id = OrganizationId(organization);
    ASSERT_TRUE(succeeded(stores_.systems.create(system, at(0))));
  }
  void beat(const std::vector<std::string>& words, Duration ago = {}) {
    std::vector<liveness::Heartbeat> heartbeats;
    for (const auto& word : words) heartbeats.push_back({id_of(word), clock.now() - ago});
    ASSERT_TRUE(succeeded(stores_.liveness.write(heartbeats)));
  }
  // As the heartbeat monitor does, without its patience after a downtime.
  void update_statuses() {
    const Time edge = clock.now() - kTimeout;
    ASSERT_TRUE(succeeded(stores_.liveness.apply(edge, edge)));
  }
  // Alive for a moment, then silent for so long.
  void silence(const std::vector<std::string>& words, Duration since = 11min) {
    beat(words, since);
    ASSERT_TRUE(succeeded(stores_.liveness.apply(clock.now() - since, std::nullopt)));
    update_statuses();
  }
  std::vector<Posted> posted() { return alerts_in(upstream.take()); }
  std::vector<std::string> posted_keys() {
    std::vector<std::string> keys;
    for (const auto& alert : posted()) keys.push_back(alert.key);
    return keys;
  }
  std::string rows() {
    return sql(
        "select alert_type, is_resolved, count(*) from inventory_alerts group by alert_type, is_resolved "
        "order by is_resolved");
  }
  // "channel|news|organization|count"
  std::string told() {
    return sql(
        "select channel, news, organization_id, count(*) from alert_notifications "
        "group by channel, news, organization_id order by news, organization_id");
  }
  bool is_sqlite() const { return GetParam().name == "Sqlite"; }
  std::string open(int count) const {
    return fmt::format("link_failed|{}|{}\n", is_sqlite() ? "0" : "f", count);
  }
  std::string closed(int count) const {
    return fmt::format("link_failed|{}|{}\n", is_sqlite() ? "1" : "t", count);
  }

  const Time start_ = SystemClock().now();
  ManualClock clock;
  ScriptedUpstream upstream;
  std::string rules{kRules};
  liveness::LinkFailedMonitor::Options options{.timeout = 10min, .post_timeout = 5s};
  std::unique_ptr<alertmanager::TenantClient> client;
  std::unique_ptr<liveness::LinkFailedMonitor> monitor;
  int wakes = 0;

 private:
  std::set<std::string> organizations_;
};
INSTANTIATE_TEST_SUITE_P(Engines, LinkFailed, testing::ValuesIn(store_engines()), engine_name);

TEST_P(LinkFailed, FiresRefreshesAndResolves) {
  add("a");
  for (const char* other : {"c", "d", "e"}) add(other);
  beat({"c", "d", "e"});
  silence({"a"});
  auto done = round();
  EXPECT_EQ(done.begun, 1U);
  EXPECT_EQ(done.told, 1U);
  EXPECT_EQ(done.posted, 1U);
  auto alerts = posted();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].tenant, "org-1");
  EXPECT_EQ(alerts[0].key, "NETH-a");
  EXPECT_EQ(alerts[0].starts_at, to_rfc3339(clock.now() - 1min));
  EXPECT_EQ(alerts[0].ends_at, to_rfc3339(clock.now() + 10min));
  EXPECT_EQ(rows(), open(1));
  EXPECT_EQ(told(), "chat|firing|org-1|1\n");
  EXPECT_EQ(wakes, 1);

  clock.advance(5min);
  round();
  alerts = posted();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].starts_at, to_rfc3339(clock.now() - 6min));
  EXPECT_EQ(alerts[0].ends_at, to_rfc3339(clock.now() + 10min));

  clock.advance(5min);
  beat({"a"});
  update_statuses();
  done = round();
  EXPECT_EQ(done.resolved, 1U);
  EXPECT_EQ(done.silent, 0U);
  alerts = posted();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].ends_at, to_rfc3339(clock.now() - 30s));
  EXPECT_EQ(rows(), closed(1));
  EXPECT_EQ(told(), "chat|firing|org-1|1\nchat|resolved|org-1|1\n");

  clock.advance(5min);
  beat({"a"});
  round();
  EXPECT_THAT(posted(), IsEmpty());
  EXPECT_EQ(sql("select count(*) from link_failures"), "0\n");

  // The next outage is one more row.
  clock.advance(15min);
  beat({"c", "d", "e"});
  update_statuses();
  round();
  EXPECT_EQ(rows(), open(1) + closed(1));
}

// A process that was stopped for so long that another may do the rounds.
TEST_P(LinkFailed, NothingIsPostedWhenTheTimeOfARoundIsOver) {
  for (const char* word : {"a", "b", "c", "d"}) add(word);
  beat({"b", "c", "d"});
  silence({"a"});
  std::chrono::milliseconds left = 0ms;
  options.time_left = [&] { return left; };
  start_monitor();
  EXPECT_EQ(round().failed, 1U);
  EXPECT_THAT(posted(), IsEmpty());
  left = 10s;
  EXPECT_EQ(round().posted, 1U);
  EXPECT_THAT(posted(), SizeIs(1));
}

// Found when rounds moved to another process: an alert on this number would have stood for ever.
TEST_P(LinkFailed, WhoLeavesTheRoundsToAnotherSaysNoMoreThatTheFleetIsSilent) {
  for (const char* word : {"a", "b", "c", "d"}) add(word);
  silence({"a", "b", "c", "d"});
  round();
  EXPECT_TRUE(monitor->counters().fleet_silent);
  monitor->leave();
  EXPECT_FALSE(monitor->counters().fleet_silent);
  round();
  EXPECT_TRUE(monitor->counters().fleet_silent);
}

TEST_P(LinkFailed, WhatFiresIsKnownAfterARestart) {
  for (const char* word : {"stays", "returns", "other", "another", "third"}) add(word);
  beat({"other", "another", "third"});
  silence({"stays", "returns"});
  round();
  posted();
  // Killed; meanwhile one comes back.
  start("");
  clock.advance(5min);
  beat({"returns"});
  update_statuses();
  const auto done = round();
  EXPECT_EQ(done.begun, 0U);
  EXPECT_EQ(done.resolved, 1U);
  std::map<std::string, std::string> ends;
  for (const auto& alert : posted()) ends[alert.key] = alert.ends_at;
  EXPECT_THAT(ends, UnorderedElementsAre(testing::Pair("NETH-stays", to_rfc3339(clock.now() + 10min)),
                                         testing::Pair("NETH-returns", to_rfc3339(clock.now() - 30s))));
  EXPECT_EQ(rows(), open(1) + closed(1));
}

TEST_P(LinkFailed, ATenantThatFailsStopsNoOther) {
  for (const char* word : {"a", "b", "c"}) add(word, std::string("tenant-") + word);
  for (int i = 0; i < 5; ++i) {
    add(fmt::format("alive{}", i));
    beat({fmt::format("alive{}", i)});
  }
  silence({"a", "b", "c"});
  std::atomic<bool> failing = true;
  upstream.script([&](const Received& request) {
    const bool fails = failing && request.header("X-Scope-OrgID") == "tenant-a";
    return fails ? Scripted{.status = 500} : Scripted{};
  });
  auto done = round();
  EXPECT_EQ(done.posted, 2U);
  EXPECT_EQ(done.failed, 1U);
  posted();
  // It comes last now, however slow it is.
  clock.advance(5min);
  round();
  EXPECT_EQ(posted_keys().back(), "NETH-a");
  failing = false;
  clock.advance(5min);
  done = round();
  EXPECT_EQ(done.posted, 3U);
  EXPECT_EQ(done.failed, 0U);
  EXPECT_EQ(monitor->counters().failed, 2U);
}

TEST_P(LinkFailed, ATenantThatHangsOrIsBeingCreatedStopsNoOther) {
  for (const char* word : {"a", "b", "c"}) add(word, std::string("tenant-") + word);
  for (int i = 0; i < 5; ++i) {
    add(fmt::format("alive{}", i));
    beat({fmt::format("alive{}", i)});
  }
  silence({"a", "b", "c"});
  options.post_timeout = 2s;
  start_monitor();
  upstream.script([&](const Received& request) {
    if (request.header("X-Scope-OrgID") == "tenant-a") return Scripted{.delay = 5s};
    if (request.header("X-Scope-OrgID") == "tenant-b") return Scripted{.status = 406};
    return Scripted{};
  });
  const auto done = round();
  EXPECT_EQ(done.posted, 1U);
  EXPECT_EQ(done.failed, 2U);
  EXPECT_THAT(posted_keys(), testing::Contains("NETH-c"));
}

TEST_P(LinkFailed, BodiesAreBounded) {
  options.alerts_per_post = 2;
  options.systems_per_page = 3;
  start_monitor();
  std::vector<std::string> words;
  for (int i = 0; i < 5; ++i) words.push_back(fmt::format("s{}", i));
  for (const auto& word : words) add(word);
  silence(words);
  EXPECT_EQ(round().posted, 5U);
  const auto requests = upstream.take();
  EXPECT_EQ(requests.size(), 3U);
  EXPECT_THAT(alerts_in(requests), SizeIs(5));
}

TEST_P(LinkFailed, AnEndThatWasNotTakenIsPostedAgain) {
  add("a");
  for (const char* other : {"c", "d", "e"}) add(other);
  beat({"c", "d", "e"});
  silence({"a"});
  round();
  posted();
  clock.advance(5min);
  beat({"a"});
  update_statuses();
  upstream.answer({.status = 503});
  EXPECT_EQ(round().failed, 1U);
  const Time end = clock.now();
  upstream.answer({});
  posted();
  clock.advance(5min);
  beat({"a"});
  EXPECT_EQ(round().resolved, 0U);
  const auto alerts = posted();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].ends_at, to_rfc3339(end - 30s));
  clock.advance(5min);
  round();
  EXPECT_THAT(posted(), IsEmpty());
}

TEST_P(LinkFailed, WithoutMimirThereAreRows) {
  client = std::make_unique<alertmanager::TenantClient>("", alertmanager::TenantClientOptions{});
  start_monitor();
  add("a");
  for (const char* other : {"c", "d", "e"}) add(other);
  beat({"c", "d", "e"});
  silence({"a"});
  auto done = round();
  EXPECT_EQ(done.begun, 1U);
  EXPECT_EQ(done.failed, 0U);
  EXPECT_EQ(rows(), open(1));
  clock.advance(5min);
  beat({"a"});
  update_statuses();
  round();
  EXPECT_EQ(rows(), closed(1));
  EXPECT_EQ(sql("select count(*) from link_failures"), "0\n");
}

TEST_P(LinkFailed, SuspensionAndDeletionEndAnOutage) {
  for (const char* word : {"suspended", "deleted", "other", "c", "d", "e", "f"}) add(word);
  add("of-suspended", "org-2");
  beat({"c", "d", "e", "f"});
  silence({"suspended", "deleted", "other", "of-suspended"});
  EXPECT_EQ(round().begun, 4U);
  posted();
  systems::SystemChange suspend;
  suspend.suspension = systems::SystemChange::Suspension::suspend;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("suspended"), suspend, clock.now())));
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("deleted"), removal, clock.now())));
  sql("update customers set suspended_at = '2026-01-01T00:00:00.000000Z' where logto_id = 'org-2'");
  clock.advance(5min);
  const auto done = round();
  EXPECT_EQ(done.resolved, 3U);
  EXPECT_EQ(done.silent, 1U);
  std::map<std::string, std::string> ends;
  for (const auto& alert : posted()) ends[alert.key] = alert.ends_at;
  EXPECT_EQ(ends.at("NETH-other"), to_rfc3339(clock.now() + 10min));
  EXPECT_EQ(ends.at("NETH-of-suspended"), to_rfc3339(clock.now() - 30s));
  clock.advance(5min);
  round();
  EXPECT_THAT(posted_keys(), ElementsAre("NETH-other"));
  EXPECT_EQ(rows(), open(1) + closed(3));
}

TEST_P(LinkFailed, HalfOfTheFleetIsOneSummary) {
  std::vector<std::string> silent;
  for (int i = 0; i < 40; ++i) {
    const auto word = fmt::format("s{}", i);
    add(word, fmt::format("org-{}", i % 8 + 10));
    silent.push_back(word);
  }
  beat(silent);
  update_statuses();
  clock.advance(11min);
  const std::vector<std::string> alive(silent.begin() + 20, silent.end());
  beat(alive);
  silent.resize(20);
  update_statuses();
  auto done = round();
  EXPECT_EQ(done.mood, FleetMood::silent);
  EXPECT_EQ(done.begun, 20U);
  EXPECT_EQ(done.posted, 20U);  // each tenant hears of its own
  EXPECT_EQ(told(), "chat|firing|*|20\n");
  EXPECT_TRUE(monitor->counters().fleet_silent);
  // What the channel makes of it.
  const auto deliver = [&] {
    clock.advance(alerts::kGatherQuiet);
    std::vector<alerts::NewDelivery> made;
    const auto planned = stores_.notifications.plan(
        "chat", clock.now() - 1h, 10000, clock.now(), [&](const alerts::DispatchState& state) {
          return made = alerts::plan_deliveries(state, {}, {}, clock.now(),
                                                [&] { return new_uuid_v7(clock.now()); });
        });
    EXPECT_TRUE(succeeded(planned));
    return made;
  };
  auto deliveries = deliver();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_THAT(deliveries[0].notifications, SizeIs(20));
  EXPECT_FALSE(deliveries[0].system_id.has_value());

  // And all come back: one summary again.
  clock.advance(30min);
  beat(silent);
  beat(alive);
  update_statuses();
  done = round();
  EXPECT_EQ(done.resolved, 20U);
  EXPECT_FALSE(monitor->counters().fleet_silent);
  deliveries = deliver();
  ASSERT_THAT(deliveries, SizeIs(1));
  EXPECT_THAT(deliveries[0].notifications, SizeIs(20));
}

TEST_P(LinkFailed, WhenSilenceSpreadsTheFirstWaitForTheRest) {
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) all.push_back(fmt::format("s{}", i));
  for (const auto& word : all) add(word);
  const auto some = [&](std::size_t from, std::size_t to) {
    return std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(from),
                                    all.begin() + static_cast<std::ptrdiff_t>(to));
  };
  beat(some(0, 8), 1min);
  beat(some(8, 40));
  update_statuses();
  clock.advance(9min + 30s);
  beat(some(30, 40));
  update_statuses();
  auto done = round();
  EXPECT_EQ(done.begun, 8U);
  EXPECT_EQ(done.mood, FleetMood::uneasy);
  EXPECT_EQ(done.told, 0U);
  EXPECT_EQ(done.posted, 8U);  // Alertmanagers do not wait
  clock.advance(5min);
  update_statuses();
  done = round();
  EXPECT_EQ(done.begun, 22U);
  EXPECT_EQ(done.mood, FleetMood::silent);
  EXPECT_EQ(done.told, 30U);
  EXPECT_EQ(told(), "chat|firing|*|30\n");
}

TEST_P(LinkFailed, WhenTheRestStaysTheFirstAreToldAfterAll) {
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) all.push_back(fmt::format("s{}", i));
  for (const auto& word : all) add(word);
  beat(all);
  silence({all.begin(), all.begin() + 8}, 11min);
  clock.advance(11min);
  beat({all.begin() + 8, all.end()});
  update_statuses();
  EXPECT_EQ(round().told, 0U);
  // A restart forgets none of them.
  start("");
  clock.advance(5min);
  beat({all.begin() + 8, all.end()});
  const auto done = round();
  EXPECT_EQ(done.begun, 0U);
  EXPECT_EQ(done.told, 8U);
  EXPECT_EQ(told(), "chat|firing|org-1|8\n");
}

// The timeout passes from Collect's return on, for LinkFailed too.
TEST_P(LinkFailed, AfterADowntimeOfCollectNobodyIsCalledSilentForOneTimeout) {
  for (const char* word : {"gone", "back", "c", "d", "e"}) add(word);
  liveness::HeartbeatMonitor before(stores_.liveness, {.timeout = 10min});
  ASSERT_TRUE(succeeded(stores_.liveness.note_run(clock.now() - 1min)));
  beat({"gone", "back", "c", "d", "e"});
  ASSERT_TRUE(before.run(clock.now()).ok());
  clock.advance(2h);
  liveness::HeartbeatMonitor after(stores_.liveness, {.timeout = 10min});
  start("");
  for (int minute = 0; minute < 10; ++minute) {
    if (minute == 8) beat({"back", "c", "d", "e"});
    ASSERT_TRUE(after.run(clock.now()).ok());
    EXPECT_EQ(round().begun, 0U) << minute;
    clock.advance(1min);
  }
  ASSERT_TRUE(after.run(clock.now()).ok());
  EXPECT_EQ(round().begun, 1U);
  const auto alerts = posted();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].key, "NETH-gone");
}

TEST_P(LinkFailed, StandsInARealAlertmanagerUntilTheSystemIsBack) {
  AlertmanagerServer alertmanager;
  add("a");
  for (const char* other : {"c", "d", "e"}) add(other);
  beat({"c", "d", "e"});
  silence({"a"});
  start(alertmanager.url());
  ASSERT_EQ(round().posted, 1U);
  const auto standing = [&] { return json::Document::parse(alertmanager.alerts()).value(); };
  auto list = standing();
  ASSERT_EQ(list.root().elements.size(), 1U);
  EXPECT_EQ(json::to_text(*list.root().elements[0].find("labels")),
            fmt::format(R"({{"alertname":"LinkFailed","managed_by":"my-collect","organization_id":"org-1",)"
                        R"("organization_name":"First","organization_type":"customer","severity":"critical",)"
                        R"("system_id":"{}","system_key":"NETH-a"}})",
                        id_of("a").text()));
  const std::string fingerprint(list.root().elements[0].at({"fingerprint"})->text);
  const auto ends = [&] { return parse_rfc3339(standing().root().elements[0].at({"endsAt"})->text).value(); };
  const Time first_end = ends();

  // Refreshed by another process, a little later: the same alert, longer.
  clock.advance(1s);
  start(alertmanager.url());
  ASSERT_EQ(round().posted, 1U);
  list = standing();
  ASSERT_EQ(list.root().elements.size(), 1U);
  EXPECT_EQ(list.root().elements[0].at({"fingerprint"})->text, fingerprint);
  EXPECT_GT(ends(), first_end);

  // Renamed while it is silent: still one alert.
  sql("update systems set name = 'Renamed' where system_key = 'NETH-a'");
  clock.advance(1s);
  round();
  EXPECT_TRUE(eventually([&] { return standing().root().elements.size() == 1; }));
  EXPECT_THAT(alertmanager.alerts(), HasSubstr("Renamed"));

  // Back, with another address, which is one more label.
  beat({"a"});
  update_statuses();
  sql("update systems set ipv4_address = '192.0.2.1' where system_key = 'NETH-a'");
  ASSERT_EQ(round().resolved, 1U);
  EXPECT_TRUE(eventually([&] { return standing().root().elements.empty(); })) << alertmanager.alerts();
  EXPECT_EQ(rows(), closed(1));
}

}  // namespace
}  // namespace collect::test
