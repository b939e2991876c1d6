// SPDX-License-Identifier: Apache-2.0
// Alerts in a real Alertmanager, read back by its own API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/channels/alertmanager_channel.h"
#include "alerts/delivery_for_test.h"
#include "base/json.h"
#include "support/alertmanager_server.h"
#include "support/process.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using diff::Severity;

class AlertmanagerTest : public testing::Test {
 protected:
  Result<std::string> send(const Delivery& delivery) {
    AlertmanagerChannel channel({}, server.url(), clock);
    return channel.send(delivery);
  }
  std::size_t standing() { return json::Document::parse(server.alerts())->root().elements.size(); }
  // An alert of just now.
  DeliveryItem item(int id, const std::string& message, const systems::System& system = test_system("rl1")) {
    auto item = test_item(id, Severity::critical, message, system);
    item.alert.created_at = clock.now() - 1min;
    return item;
  }

  SystemClock clock;
  test::AlertmanagerServer server;
};

TEST_F(AlertmanagerTest, AnAlertStandsThereWithTheSystemsLabels) {
  const auto answer = send(test_delivery_of({item(1, "Nodo 1 è \"uscito\"")}));
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_EQ(*answer, "HTTP 200");
  const auto document = json::Document::parse(server.alerts());
  ASSERT_TRUE(document.ok());
  ASSERT_EQ(document->root().elements.size(), 1U);
  const json::Value& alert = document->root().elements[0];
  EXPECT_EQ(
      json::to_text(*alert.find("labels")),
      R"({"alert_id":"1","alertname":"type_critical","collect_rule":"rule-1","managed_by":"my-collect",)"
      R"("organization_id":"org-1","organization_name":"Acme & Söhne","organization_type":"customer",)"
      R"("path":"facts.nodes.1","severity":"critical","system_fqdn":"rl1.example.org","system_id":"id-rl1",)"
      R"("system_key":"NETH-rl1","system_name":"rl1","system_type":"ns8"})");
  EXPECT_EQ(alert.at({"annotations", "summary"})->text, "Nodo 1 è \"uscito\"");
  EXPECT_EQ(alert.at({"status", "state"})->text, "active");
}

TEST_F(AlertmanagerTest, ARepetitionIsNoSecondAlertAndAnotherChangeIsOne) {
  const auto delivery = test_delivery_of({item(1, "m")});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(send(delivery).ok());
  EXPECT_EQ(standing(), 1U);
  auto again = item(2, "m");
  again.alert.field_path = delivery.items[0].alert.field_path;
  again.alert.rule = delivery.items[0].alert.rule;
  ASSERT_TRUE(send(test_delivery_of({again})).ok());
  EXPECT_EQ(standing(), 2U);
}

TEST_F(AlertmanagerTest, AResolvedAlertIsGone) {
  auto first = item(1, "m");
  ASSERT_TRUE(send(test_delivery_of({first, item(2, "n")})).ok());
  EXPECT_EQ(standing(), 2U);
  first.news = News::resolved;
  first.alert.is_resolved = true;
  first.alert.resolved_at = clock.now();
  ASSERT_TRUE(send(test_delivery_of({first})).ok());
  EXPECT_TRUE(test::eventually([&] { return standing() == 1; }));
}

TEST_F(AlertmanagerTest, TakesAStorm) {
  std::vector<DeliveryItem> items;
  for (int i = 1; i <= 1000; ++i) items.push_back(item(i, "m", test_system("s" + std::to_string(i))));
  auto storm = test_delivery_of(std::move(items));
  storm.summary = true;
  const auto answer = send(storm);
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_EQ(standing(), 1000U);
}

TEST_F(AlertmanagerTest, OneThatIsAwayIsTriedLater) {
  server.kill_hard();
  const auto answer = send(test_delivery_of({item(1, "m")}));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
}

}  // namespace
}  // namespace collect::alerts
