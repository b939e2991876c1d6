// SPDX-License-Identifier: Apache-2.0
// inventory::replay() over each engine's HistoryStore.
#include "contract/store_contract.h"
#include "inventory/replay.h"

namespace collect::test {
namespace {

using inventory::ComparisonState;
using inventory::RecordDiffs;
using inventory::ReplayedRecord;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ReplayContract : public StoreContract {
 protected:
  // A record of system "a" that says {"n":n}, stored at at(now), compared with `previous`.
  RecordId record(int n, std::int64_t timestamp, std::int64_t now, std::optional<RecordId> previous,
                  std::vector<diff::Change> changes, std::string held = "") {
    const auto name = std::to_string(n);
    const auto id = store({arrival("m" + name, "a", "{\"n\":" + name + "}", timestamp)}, now)[0];
    const auto done = compare(
        "a",
        [&](const ComparisonState&) -> std::vector<RecordDiffs> {
          return {{id, previous, held, changes}};
        },
        now);
    if (!done) throw std::runtime_error(done.failure().message);
    return id;
  }
  std::vector<ReplayedRecord> replay(std::int64_t since) {
    std::vector<ReplayedRecord> all;
    const auto done = inventory::replay(stores_.history, id_of("a"), at(since),
                                        [&](const ReplayedRecord& one) { all.push_back(one); });
    EXPECT_TRUE(succeeded(done));
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, ReplayContract, testing::ValuesIn(inventory_engines()), engine_name);

TEST_P(ReplayContract, ShowsRecordsInOrderAfterTheirBaseline) {
  add_systems({"a", "b"});
  const auto oldest = record(1, 10, 11, std::nullopt, {});
  const auto before = record(2, 20, 21, oldest, {change("n", "1", "2")}, R"({ "held": ["as it is"] })");
  const auto first = record(3, 30, 31, before, {change("n", "2", "3"), change("new", std::nullopt, "null")});
  const auto second = record(4, 40, 41, first, {change("n", "3", "4")}, "held too");
  store({arrival("m5", "b", "{}", 50)}, 51);

  const auto all = replay(31);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_TRUE(all[0].baseline);
  EXPECT_EQ(all[0].record.id, before);
  EXPECT_EQ(all[0].held, R"({ "held": ["as it is"] })");
  EXPECT_TRUE(same_json(all[0].document, R"({"n":2})"));
  EXPECT_THAT(all[0].diffs, IsEmpty());
  EXPECT_FALSE(all[1].baseline);
  EXPECT_EQ(all[1].record.id, first);
  EXPECT_EQ(all[1].record.timestamp, at(30));
  EXPECT_EQ(all[1].record.created_at, at(31));
  EXPECT_TRUE(same_json(all[1].document, R"({"n":3})"));
  EXPECT_FALSE(all[1].late);
  ASSERT_THAT(all[1].diffs, SizeIs(2));
  EXPECT_EQ(all[1].diffs[0].field_path, "n");
  EXPECT_EQ(all[1].diffs[0].previous_id, before);
  EXPECT_TRUE(same_json(*all[1].diffs[0].current_value, "3"));
  EXPECT_EQ(all[1].diffs[1].field_path, "new");
  EXPECT_EQ(all[2].record.id, second);
  EXPECT_THAT(all[2].diffs, SizeIs(1));
}

TEST_P(ReplayContract, BeginsWithoutABaselineWhereThereIsNone) {
  add_systems({"a"});
  EXPECT_THAT(replay(0), IsEmpty());
  record(1, 10, 11, std::nullopt, {});
  const auto all = replay(0);
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_FALSE(all[0].baseline);
  EXPECT_THAT(replay(12), IsEmpty());
}

TEST_P(ReplayContract, LateRecordsAreToldAndNeverTheBaseline) {
  add_systems({"a"});
  record(1, 10, 11, std::nullopt, {});
  const auto before = record(2, 30, 31, std::nullopt, {});
  record(3, 20, 32, std::nullopt, {});  // late
  const auto first = record(4, 50, 51, before, {change("n", "2", "4")});
  record(5, 25, 52, std::nullopt, {});  // late, and before the first
  const auto second = record(6, 70, 71, first, {});
  const auto late = record(7, 60, 72, std::nullopt, {});

  const auto all = replay(40);
  std::vector<RecordId> ids;
  for (const auto& one : all) ids.push_back(one.record.id);
  ASSERT_THAT(ids, ElementsAre(before, first, late, second));
  EXPECT_TRUE(all[0].baseline);
  EXPECT_FALSE(all[1].late);
  EXPECT_TRUE(all[2].late);
  EXPECT_THAT(all[2].diffs, IsEmpty());
  EXPECT_FALSE(all[3].late);
}

TEST_P(ReplayContract, WhatRemovedRecordsChangedIsShownAtTheNextOne) {
  add_systems({"a"});
  const auto first = record(1, 10, 11, std::nullopt, {});
  const auto removed = record(2, 20, 21, first, {change("n", "1", "2")});
  const auto quiet = record(3, 30, 31, removed, {}, "held");
  const auto same = record(4, 40, 41, quiet, {change("n", "3", "4")});
  const auto removed_quiet = record(5, 50, 51, same, {});
  const auto last = record(6, 60, 61, removed_quiet, {change("n", "5", "6")});
  for (const auto& one : replay(0)) EXPECT_FALSE(one.after_gap);
  for (const auto id : {removed, removed_quiet}) {
    sql("delete from inventory_records where id = " + std::to_string(static_cast<std::int64_t>(id)));
  }

  const auto all = replay(0);
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[0].record.id, first);
  EXPECT_FALSE(all[0].after_gap);
  EXPECT_EQ(all[1].record.id, quiet);
  EXPECT_TRUE(all[1].after_gap);
  EXPECT_EQ(all[1].held, "held");
  ASSERT_THAT(all[1].removed, SizeIs(1));
  EXPECT_TRUE(same_json(*all[1].removed[0].current_value, "2"));
  EXPECT_EQ(all[2].record.id, same);
  EXPECT_FALSE(all[2].after_gap);
  EXPECT_THAT(all[2].removed, IsEmpty());
  EXPECT_EQ(all[3].record.id, last);
  EXPECT_TRUE(all[3].after_gap) << "it was compared with a record that is gone";
  EXPECT_THAT(all[3].removed, IsEmpty());
  EXPECT_THAT(all[3].diffs, SizeIs(1));
}

TEST_P(ReplayContract, WhatARecordHeldIsEmptyWhereThereIsNothing) {
  add_systems({"a"});
  const auto id = record(1, 10, 11, std::nullopt, {});
  EXPECT_EQ(*stores_.history.held(id), "");
  EXPECT_EQ(*stores_.history.held(RecordId{999999}), "");
}

}  // namespace
}  // namespace collect::test
