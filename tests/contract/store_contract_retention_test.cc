// SPDX-License-Identifier: Apache-2.0
// RetentionStore.
#include <fmt/format.h>

#include <algorithm>

#include "contract/alerts_contract.h"

namespace collect::test {
namespace {

using alerts::NewDelivery;
using diff::Severity;
using retention::Forgotten;
using retention::Horizons;
using retention::StoredRecord;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RetentionContract : public AlertsContract {
 protected:
  std::vector<SystemId> systems(const std::optional<SystemId>& after, std::size_t limit) {
    auto found = stores_.retention.systems(after, limit);
    if (!found) throw std::runtime_error(found.failure().message);
    return std::move(*found);
  }
  // By id.
  std::vector<StoredRecord> records(std::string_view word) {
    auto found = stores_.retention.records(id_of(word));
    if (!found) throw std::runtime_error(found.failure().message);
    std::ranges::sort(*found, {}, [](const auto& record) { return record.id; });
    return std::move(*found);
  }
  // "<alerts> <history> <deliveries>" that are older than that.
  static std::string words(const Result<Forgotten>& forgotten) {
    if (!forgotten) return forgotten.failure().message;
    return fmt::format("{} {} {}", forgotten->resolved_alerts, forgotten->alert_history,
                       forgotten->deliveries);
  }
  std::string forgettable(std::int64_t seconds) {
    return words(stores_.retention.forgettable({at(seconds), at(seconds), at(seconds)}));
  }
  std::string forget(std::int64_t seconds, std::size_t limit = 100) {
    return words(stores_.retention.forget({at(seconds), at(seconds), at(seconds)}, limit));
  }
  // All that waits for the channel in one delivery, sent unless `pending`.
  void tell(const std::string& channel, const std::string& delivery, std::int64_t seconds,
            bool pending = false) {
    const auto plan = [&](const alerts::DispatchState& state) -> std::vector<NewDelivery> {
      const auto& first = state.waiting.front();
      NewDelivery made{delivery, first.organization_id, first.system_id, first.critical, {}};
      for (const auto& one : state.waiting) made.notifications.push_back(one.id);
      return {made};
    };
    ASSERT_TRUE(succeeded(stores_.notifications.plan(channel, at(0), 100, at(seconds), plan)));
    if (pending) return;
    ASSERT_TRUE(succeeded(stores_.notifications.claim(channel, at(seconds), at(seconds + 10), 100)));
    ASSERT_TRUE(succeeded(
        stores_.notifications.finish(delivery, {alerts::DeliveryState::sent, {}, ""}, at(seconds))));
  }
  void add_history(int count, std::int64_t first_second) {
    for (int i = 0; i < count; ++i) {
      sql(
          fmt::format("insert into alert_history(system_key, alertname, status, starts_at, labels, "
                      "annotations, created_at)"
                      " values ('NETH-a', 'DiskFull', 'resolved', '{0}', '{{}}', '{{}}', '{0}')",
                      to_rfc3339(at(first_second + i))));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, RetentionContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(RetentionContract, GoesThroughTheSystemsThatHaveRecords) {
  EXPECT_THAT(systems(std::nullopt, 10), IsEmpty());
  add_systems({"a", "b", "c", "d", "none"});
  std::vector<SystemId> all;
  for (const std::string word : {"a", "b", "c", "d"}) {
    store({arrival(word + "1", word, R"({"n":1})", 1), arrival(word + "2", word, R"({"n":2})", 2)}, 3);
    all.push_back(id_of(word));
  }
  std::ranges::sort(all);
  EXPECT_EQ(systems(std::nullopt, 10), all);
  EXPECT_THAT(systems(std::nullopt, 3), ElementsAre(all[0], all[1], all[2]));
  EXPECT_THAT(systems(all[1], 1), ElementsAre(all[2]));
  EXPECT_THAT(systems(all[2], 10), ElementsAre(all[3]));
  EXPECT_THAT(systems(all[3], 10), IsEmpty());
}

TEST_P(RetentionContract, TellsOfEachRecordWhatItsAgeIsAndWhetherItIsStillNeeded) {
  add_systems({"a", "b"});
  const auto compared = changed("a", {}, 10);
  const auto told = changed("a", {change("os.name", R"("y")", R"("z")")}, 20);
  ASSERT_TRUE(succeeded(notify("a", {told}, 21, no_alert)));
  const auto untold = changed("a", {change("os.name", R"("x")", R"("y")")}, 30);
  const auto pending = store({arrival("m", "a", R"({"p":1})", 40)}, 41);
  const auto found = records("a");
  ASSERT_THAT(found, SizeIs(4));
  const auto check = [&](std::size_t index, RecordId id, bool is_pending, bool is_untold) {
    EXPECT_EQ(found[index].id, id);
    EXPECT_EQ(found[index].pending, is_pending) << index;
    EXPECT_EQ(found[index].untold, is_untold) << index;
  };
  check(0, compared, false, false);
  check(1, told, false, false);
  check(2, untold, false, true);
  check(3, pending.front(), true, false);
  EXPECT_EQ(found[3].timestamp, at(40));
  EXPECT_EQ(found[3].created_at, at(41));
  EXPECT_THAT(records("b"), IsEmpty());
  EXPECT_THAT(*stores_.retention.records(SystemId("no uuid")), IsEmpty());
}

TEST_P(RetentionContract, ForgetsResolvedAlertsWithTheirDeliveries) {
  add_systems({"a"});
  alert("a", {"one"}, 10, Severity::high, {"mail"});
  tell("mail", "first", 11);
  alert("a", {"two"}, 20, Severity::high, {"mail"});
  tell("mail", "second", 21);
  const auto alerts = listed();
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(forgettable(1000), "0 0 0");  // open alerts stay, and with them who was told
  const auto one = alerts[0].alert.id < alerts[1].alert.id ? alerts[0].alert.id : alerts[1].alert.id;
  ASSERT_TRUE(succeeded(stores_.alerts.resolve(one, at(50))));
  EXPECT_EQ(forgettable(50), "0 0 0");
  EXPECT_EQ(forgettable(51), "1 0 0");
  EXPECT_EQ(forget(51), "1 0 1");
  EXPECT_EQ(forget(51), "0 0 0");
  ASSERT_THAT(listed(), SizeIs(1));
  EXPECT_NE(listed().front().alert.id, one);
  EXPECT_EQ(sql("select id from alert_deliveries"), "second\n");
  EXPECT_EQ(sql("select count(*) from inventory_diffs"), "2\n");
}

TEST_P(RetentionContract, WhatIsStillToBeSentStays) {
  add_systems({"a"});
  alert("a", {"one"}, 10, Severity::high, {"mail"});
  tell("mail", "first", 11, true);
  sql("delete from alert_notifications");  // as its alert would do that is gone
  EXPECT_EQ(forget(1000), "0 0 0");
}

TEST_P(RetentionContract, ForgetsInBoundedStepsTheOldestFirst) {
  add_history(5, 10);
  EXPECT_EQ(forgettable(14), "0 4 0");
  EXPECT_EQ(forget(14, 3), "0 3 0");
  EXPECT_EQ(sql("select count(*) from alert_history"), "2\n");
  EXPECT_EQ(forgettable(14), "0 1 0");
  EXPECT_EQ(forget(14, 3), "0 1 0");
  EXPECT_EQ(forget(14, 3), "0 0 0");
  EXPECT_EQ(sql("select count(*) from alert_history"), "1\n");
}

TEST_P(RetentionContract, ProgressIsRemembered) {
  EXPECT_EQ(*stores_.retention.progress(), std::nullopt);
  ASSERT_TRUE(succeeded(stores_.retention.note_progress("so far", at(10))));
  ASSERT_TRUE(succeeded(stores_.retention.note_progress("farther", at(20))));
  const auto noted = *stores_.retention.progress();
  ASSERT_TRUE(noted.has_value());
  EXPECT_EQ(noted->progress, "farther");
  EXPECT_EQ(noted->at, at(20));
}

}  // namespace
}  // namespace collect::test
