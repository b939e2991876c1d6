// SPDX-License-Identifier: Apache-2.0
// What is posted, and how answers are taken. A real Alertmanager judges it in tests/alerts.
#include "alerts/channels/alertmanager_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "alerts/channels/peer_for_test.h"
#include "alerts/delivery_for_test.h"
#include "base/json.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using diff::Severity;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class AlertmanagerChannelTest : public testing::Test {
 protected:
  Result<std::string> send(const Delivery& delivery) { return channel.send(delivery); }
  std::vector<std::string> tenants() {
    std::vector<std::string> all;
    for (const auto& request : peer.requests()) all.emplace_back(request.header("X-Scope-OrgID"));
    return all;
  }
  // Of the first alert of the first request.
  std::string posted(std::initializer_list<std::string_view> keys) {
    const auto document = json::Document::parse(peer.requests().at(0).body);
    const json::Value* value = document->root().elements[0].at(keys);
    return value == nullptr ? "(none)" : std::string(value->text);
  }

  Peer peer{"/alertmanager/api/v2/alerts"};
  ManualClock clock{kTestTime + 2h};
  AlertmanagerChannel channel{{}, peer.origin() + "/", clock};
};

TEST_F(AlertmanagerChannelTest, AnAlertHasTheSystemsLabels) {
  ASSERT_EQ(*send(test_delivery_of({test_item(1, Severity::critical, "Node 1\nleft")})), "HTTP 200");
  const auto document = json::Document::parse(peer.requests().at(0).body);
  EXPECT_EQ(json::to_text(document->root()),
            R"([{"annotations":{"description":"Node 1 left","summary":"Node 1 left"},)"
            R"("endsAt":"2026-01-03T03:05:05.678901Z","labels":{"alert_id":"1","alertname":"type_critical",)"
            R"("collect_rule":"rule-1","managed_by":"my-collect","organization_id":"org-1",)"
            R"("organization_name":"Acme & Söhne","organization_type":"customer","path":"facts.nodes.1",)"
            R"("severity":"critical","system_fqdn":"rl1.example.org","system_id":"id-rl1",)"
            R"("system_key":"NETH-rl1","system_name":"rl1","system_type":"ns8"},)"
            R"("startsAt":"2026-01-02T03:05:05.678901Z"}])");
  EXPECT_THAT(tenants(), UnorderedElementsAre("org-1"));
}

TEST_F(AlertmanagerChannelTest, WhatStandsLongStaysAWhileAndWhatIsResolvedEnds) {
  clock.set(kTestTime + 100h);
  const auto item = test_item(1, Severity::low, "m");
  ASSERT_TRUE(send(test_delivery_of({item})).ok());
  EXPECT_EQ(posted({"endsAt"}), to_rfc3339(clock.now() + 5min));
  peer.answer_with(200);
  ASSERT_TRUE(send(test_delivery_of({resolved(item)})).ok());
  EXPECT_EQ(posted({"endsAt"}), to_rfc3339(item.alert.created_at + 1h));
}

TEST_F(AlertmanagerChannelTest, AnAlertThatCameAndWentIsOver) {
  const auto item = test_item(1, Severity::low, "m");
  ASSERT_TRUE(send(test_delivery_of({item, resolved(item)})).ok());
  const auto document = json::Document::parse(peer.requests().at(0).body);
  EXPECT_EQ(document->root().elements.size(), 1U);
  EXPECT_EQ(posted({"endsAt"}), to_rfc3339(item.alert.created_at + 1h));
  // Told late, after it was resolved: it must not stand again.
  peer.answer_with(200);
  auto late = resolved(item);
  late.news = News::firing;
  ASSERT_TRUE(send(test_delivery_of({late})).ok());
  EXPECT_EQ(posted({"endsAt"}), to_rfc3339(item.alert.created_at + 1h));
}

TEST_F(AlertmanagerChannelTest, EachTenantHearsOfItsOwn) {
  auto managed = test_system("b");
  managed.organization.managed_by = "boss";
  ASSERT_TRUE(send(test_delivery_of({test_item(1, Severity::low, "m", test_system("a")),
                                     test_item(2, Severity::low, "m", managed)}))
                  .ok());
  EXPECT_THAT(tenants(), UnorderedElementsAre("org-1", "boss"));
  for (const auto& request : peer.requests())
    EXPECT_THAT(request.body, HasSubstr(request.header("X-Scope-OrgID") == "boss" ? "NETH-b" : "NETH-a"));
}

TEST_F(AlertmanagerChannelTest, ATenantThatRefusesKeepsNoOtherFromHearing) {
  auto managed = test_system("b");
  managed.organization.managed_by = "boss";
  peer.answer_with({Peer::response(400, "bad label"), Peer::response(200)});
  const auto answer = send(test_delivery_of(
      {test_item(1, Severity::low, "m", test_system("a")), test_item(2, Severity::low, "m", managed)}));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::invalid);
  EXPECT_THAT(answer.failure().message, HasSubstr("bad label"));
  EXPECT_EQ(peer.requests().size(), 2U);
}

TEST_F(AlertmanagerChannelTest, ATenantThatIsBeingCreatedIsWaitedFor) {
  for (const int status : {406, 429, 500, 503}) {
    peer.answer_with(status);
    const auto answer = send(test_delivery_of({test_item(1, Severity::low, "m")}));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.failure().kind, FailureKind::unavailable) << status;
  }
}

TEST_F(AlertmanagerChannelTest, AStormIsPostedInPartsAndWhole) {
  ASSERT_TRUE(send(test_storm(1000)).ok());
  std::size_t alerts = 0;
  for (const auto& request : peer.requests()) {
    const auto document = json::Document::parse(request.body);
    alerts += document->root().elements.size();
    EXPECT_LT(request.body.size(), 200'000U);
  }
  EXPECT_EQ(peer.requests().size(), 5U);
  EXPECT_EQ(alerts, 1000U);
}

TEST_F(AlertmanagerChannelTest, WithoutAUrlItSaysWhichSettingIsMissing) {
  AlertmanagerChannel nowhere({}, "", clock);
  const auto answer = nowhere.send(test_delivery_of({test_item(1, Severity::low, "m")}));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(answer.failure().message, HasSubstr("MIMIR_URL"));
}

}  // namespace
}  // namespace collect::alerts
