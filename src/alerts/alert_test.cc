// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/alert_store.h"
#include "alerts/notification_store.h"

namespace collect::alerts {
namespace {

using diff::Severity;
using testing::ElementsAre;

DeliveryItem item(int id, Severity severity, int seconds, News news = News::firing) {
  DeliveryItem made;
  made.news = news;
  made.alert.id = AlertId{id};
  made.alert.severity = severity;
  made.alert.created_at = Time{std::chrono::seconds(seconds)};
  return made;
}

TEST(Delivery, ItsItemsAreEachAlertOnceTheMostSevereFirstThenTheOldest) {
  const auto items =
      in_order({item(1, Severity::low, 1), item(2, Severity::critical, 20),
                item(4, Severity::critical, 10, News::resolved), item(3, Severity::critical, 10),
                item(5, Severity::high, 0), item(4, Severity::critical, 10), item(6, Severity::low, 2),
                item(6, Severity::low, 2, News::resolved), item(7, Severity::low, 3, News::resolved)});
  std::vector<std::string> order;
  for (const auto& one : items) {
    order.push_back(std::to_string(static_cast<int>(one.alert.id)) + " " + std::string(to_string(one.news)));
  }
  EXPECT_THAT(order, ElementsAre("3 firing", "4 resolved", "2 firing", "5 firing", "1 firing", "6 resolved",
                                 "7 resolved"));
}

TEST(Words, ReadAsTheyAreWritten) {
  for (const auto news : {News::firing, News::resolved}) EXPECT_EQ(parse_news(to_string(news)), news);
  EXPECT_EQ(parse_news("Firing"), std::nullopt);
  for (const auto state : {DeliveryState::pending, DeliveryState::sent, DeliveryState::dead}) {
    EXPECT_EQ(parse_delivery_state(to_string(state)), state);
  }
  EXPECT_EQ(parse_delivery_state(""), std::nullopt);
}

TEST(Severities, FromOneUpwards) {
  EXPECT_THAT(severities_from(Severity::low), ElementsAre("low", "medium", "high", "critical"));
  EXPECT_THAT(severities_from(Severity::high), ElementsAre("high", "critical"));
}

}  // namespace
}  // namespace collect::alerts
