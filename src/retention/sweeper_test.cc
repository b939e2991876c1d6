// SPDX-License-Identifier: Apache-2.0
#include "retention/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retention/fake_retention_store.h"

namespace collect::retention {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow = parse_rfc3339("2026-03-31T12:00:00Z").value();

class Sweeping : public testing::Test {
 protected:
  // `count` records, all of one hour of a year long ago: the first and the latest of them stay.
  void add(const std::string& system, int count) {
    auto& records = store_.rows[SystemId(system)];
    for (int i = 0; i < count; ++i) {
      const Time at = kNow - std::chrono::days(1000) + std::chrono::seconds(i);
      records.push_back({RecordId{++last_id_}, at, at, false, false});
    }
  }
  std::size_t left(const std::string& system) { return store_.rows.at(SystemId(system)).size(); }
  Sweeper sweeper(std::chrono::milliseconds slice = 1h) {
    return {store_,
            store_.remover(),
            clock_,
            {.slice = slice, .pass = {.records_at_once = 10, .rows_at_once = 4}}};
  }
  void sweep() {
    Sweeper one = sweeper();
    one.tick();
  }

  FakeRetentionStore store_;
  ManualClock clock_{kNow};
  std::int64_t last_id_ = 0;
};

TEST_F(Sweeping, TakesOutWhatTheTableDoesNotKeepAndForgetsTheRest) {
  add("a", 25);
  add("b", 1);
  add("c", 3);
  store_.old = {9, 1, 5};
  Sweeper one = sweeper();
  one.tick();
  EXPECT_EQ(left("a"), 2U);
  EXPECT_EQ(left("b"), 1U);
  EXPECT_EQ(left("c"), 2U);
  EXPECT_EQ(store_.old.sum(), 0U);
  EXPECT_THAT(store_.removed, ElementsAre(10, 10, 3, 1));
  EXPECT_EQ(one.counters().records, 24U);
  EXPECT_EQ(one.counters().resolved_alerts, 9U);
  EXPECT_EQ(one.counters().alert_history, 1U);
  EXPECT_EQ(one.counters().deliveries, 5U);
  EXPECT_EQ(one.counters().passes, 1U);
  EXPECT_EQ(store_.noted->progress, "2026-03-31T12:00:00.000000Z done");
}

TEST_F(Sweeping, ACallWorksNoLongerThanItsSlice) {
  add("a", 42);
  Sweeper one = sweeper(0ms);  // one step a call
  for (int i = 0; i < 4; ++i) one.tick();
  EXPECT_THAT(store_.removed, ElementsAre(10, 10));
  for (int i = 0; i < 6; ++i) one.tick();
  EXPECT_EQ(left("a"), 2U);
  EXPECT_EQ(one.counters().passes, 1U);
}

TEST_F(Sweeping, GoesOnWhereItWasAfterARestart) {
  add("a", 12);
  add("b", 12);
  {
    Sweeper one = sweeper(0ms);
    for (int i = 0; i < 3; ++i) one.tick();  // systems, records of a, out with them
  }
  EXPECT_EQ(store_.noted->progress, "2026-03-31T12:00:00.000000Z after a");
  store_.rows.at(SystemId("a")).clear();
  add("a", 5);  // not looked at again
  clock_.advance(2min);
  sweep();
  EXPECT_EQ(left("a"), 5U);
  EXPECT_EQ(left("b"), 2U);
  EXPECT_EQ(store_.noted->progress, "2026-03-31T12:00:00.000000Z done");
}

TEST_F(Sweeping, BeginsAgainWhenTheIntervalIsOverWhoeverDidTheLast) {
  sweep();
  add("a", 5);
  clock_.advance(6h - 1s);
  sweep();
  EXPECT_EQ(left("a"), 5U);
  clock_.advance(1s);
  sweep();
  EXPECT_EQ(left("a"), 2U);
}

TEST_F(Sweeping, TheSameOneLooksEveryMinute) {
  Sweeper one = sweeper();
  one.tick();
  add("a", 5);
  clock_.advance(6h);
  one.tick();
  EXPECT_EQ(left("a"), 2U);
}

TEST_F(Sweeping, AnotherProcessGoesOnAtOnceAndTheFirstLooksAgain) {
  add("a", 12);
  add("b", 12);
  Sweeper one = sweeper(0ms);
  for (int i = 0; i < 3; ++i) one.tick();  // systems, records of a, out with them
  Sweeper other = sweeper();
  other.tick();
  EXPECT_EQ(left("b"), 2U);
  one.leave();
  one.tick();  // the other's is done, and no other is due
  EXPECT_EQ(one.counters().passes, 0U);
  EXPECT_THAT(store_.removed, ElementsAre(10, 10));
}

TEST_F(Sweeping, AnOutageStopsItOnlyForAsLongAsItLasts) {
  add("a", 5);
  Sweeper one = sweeper(0ms);
  store_.fails = unavailable("away");
  for (int i = 0; i < 3; ++i) one.tick();
  store_.fails.reset();
  one.tick();
  one.tick();
  store_.fails = unavailable("away again");
  one.tick();
  store_.fails.reset();
  for (int i = 0; i < 5; ++i) one.tick();
  EXPECT_EQ(left("a"), 2U);
  EXPECT_EQ(one.counters().passes, 1U);
}

TEST_F(Sweeping, OneSystemThatCannotBeTidiedHoldsUpNoOther) {
  add("bad", 5);
  add("good", 5);
  const auto remove = store_.remover();
  Sweeper one(store_,
              [&](const SystemId& id, std::span<const RecordId> records) -> Result<std::uint64_t> {
                if (id.text() == "bad") return internal("damaged");
                return remove(id, records);
              },
              clock_, {.slice = 1h});
  one.tick();
  EXPECT_EQ(left("bad"), 5U);
  EXPECT_EQ(left("good"), 2U);
  EXPECT_EQ(one.counters().passes, 1U);
}

TEST_F(Sweeping, ADryPassOnlySaysWhatWouldGo) {
  add("a", 25);
  add("b", 2);
  store_.old = {9, 1, 5};
  std::vector<std::string> found;
  Pass pass(store_, nullptr, kNow, std::nullopt,
            {.mode = Pass::Mode::dry,
             .found = [&](const SystemId& id, std::uint64_t records, std::span<const RecordId> gone) {
               found.push_back(id.text() + " " + std::to_string(records) + " " + std::to_string(gone.size()));
               EXPECT_EQ(gone.front(), RecordId{2});  // the first stays
             }});
  Result<Pass::Step> step = Pass::Step::read;
  while (step && *step != Pass::Step::done) step = pass.step();
  EXPECT_THAT(found, ElementsAre("a 25 23"));
  EXPECT_EQ(pass.tally().systems, 2U);
  EXPECT_EQ(pass.tally().records, 27U);
  EXPECT_EQ(pass.tally().removed, 23U);
  EXPECT_EQ(pass.tally().forgotten.sum(), 15U);
  EXPECT_EQ(left("a"), 25U);
  EXPECT_EQ(store_.old.sum(), 15U);
}

}  // namespace
}  // namespace collect::retention
