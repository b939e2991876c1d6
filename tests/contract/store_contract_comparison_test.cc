// SPDX-License-Identifier: Apache-2.0
// ComparisonStore, and what HistoryStore shows of it.
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using inventory::Compared;
using inventory::ComparisonState;
using inventory::DiffFilter;
using inventory::RecordDiffs;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class ComparisonContract : public StoreContract {
 protected:
  // Two records of system "a", the second compared at at(20) with two diffs.
  std::vector<RecordId> two_records() {
    add_systems({"a", "b"});
    auto ids = store({arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 11)}, 12);
    const auto done = compare(
        "a",
        [&](const ComparisonState&) -> std::vector<RecordDiffs> {
          return {{ids[0], std::nullopt, "", {}},
                  {ids[1],
                   ids[0],
                   "",
                   {change("facts.n", "1", "2"), change("facts.new", std::nullopt, R"({"a":[1]})")}}};
        },
        20);
    if (!done) throw std::runtime_error(done.failure().message);
    return ids;
  }
  std::vector<inventory::Diff> diffs(const DiffFilter& filter = {}, std::size_t limit = 100) {
    auto found = stores_.history.diffs(id_of("a"), filter, limit);
    if (!found) throw std::runtime_error(found.failure().message);
    return std::move(*found);
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, ComparisonContract, testing::ValuesIn(inventory_engines()), engine_name);

std::vector<std::string> paths(const std::vector<inventory::Diff>& diffs) {
  std::vector<std::string> paths;
  for (const auto& diff : diffs) paths.push_back(diff.field_path);
  return paths;
}

TEST_P(ComparisonContract, DocumentsThatTheCallerHasAreNotRead) {
  add_systems({"a"});
  store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [](const ComparisonState& state) {
        return std::vector<RecordDiffs>{{state.pending[0].id, std::nullopt, "", {}}};
      },
      12)));
  const auto second = arrival("m2", "a", R"({"n":2})", 20);
  store({second, arrival("m3", "a", R"({"n":3})", 30)}, 31);
  const auto a = id_of("a");
  const auto done =
      stores_.comparison.compare({.systems = {&a, 1},
                                  .changed_since = std::nullopt,
                                  .now = at(40),
                                  .has_document = [&](std::string_view hash) { return hash == second.hash; }},
                                 [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
                                   EXPECT_TRUE(same_json(state.baseline->document, R"({"n":1})"));
                                   EXPECT_EQ(state.pending[0].document, "");
                                   EXPECT_EQ(state.pending[0].hash, second.hash);
                                   EXPECT_TRUE(same_json(state.pending[1].document, R"({"n":3})"));
                                   return {};
                                 });
  EXPECT_TRUE(succeeded(done));
}

TEST_P(ComparisonContract, ReadsPendingRecordsInOrderAndStoresWhatIsDecided) {
  add_systems({"a", "b"});
  const auto ids = store({arrival("m1", "a", R"({"n":3})", 30), arrival("m2", "a", R"({"n":1})", 10),
                          arrival("m3", "a", R"({"n":2})", 20), arrival("m4", "b", R"({"n":9})", 15)},
                         40);
  const auto done = compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_EQ(state.system_id, id_of("a"));
        EXPECT_EQ(state.baseline.has_value(), false);
        EXPECT_EQ(state.newest_processed.has_value(), false);
        EXPECT_TRUE(state.last_changed.empty());
        EXPECT_EQ(state.pending.size(), 3U);
        EXPECT_EQ(state.pending[0].id, ids[1]);
        EXPECT_EQ(state.pending[1].id, ids[2]);
        EXPECT_EQ(state.pending[2].id, ids[0]);
        EXPECT_EQ(state.pending[1].timestamp, at(20));
        EXPECT_TRUE(same_json(state.pending[1].document, R"({"n":2})"));
        return {{ids[1], std::nullopt, "", {}},
                {ids[2], ids[1], "", {change("n", "1", "2")}},
                {ids[0], ids[2], "", {change("n", "2", "3"), change("gone", "[true]", std::nullopt)}}};
      },
      50);
  ASSERT_TRUE(succeeded(done));
  ASSERT_THAT(*done, SizeIs(3));
  EXPECT_EQ((*done)[2].system_id, id_of("a"));
  EXPECT_EQ((*done)[2].record_id, ids[0]);
  EXPECT_EQ((*done)[2].change_count, 2);

  const auto record = *stores_.history.latest(id_of("a"));
  EXPECT_EQ(record->processed_at, at(50));
  EXPECT_TRUE(record->has_changes);
  EXPECT_EQ(record->change_count, 2);
  EXPECT_FALSE((*stores_.history.records(id_of("a"), {}, 3))[2].has_changes);

  const auto stored = diffs();
  ASSERT_THAT(paths(stored), ElementsAre("gone", "n", "n"));
  EXPECT_EQ(stored[0].diff_type, "delete");
  EXPECT_EQ(stored[0].category, "os");
  EXPECT_EQ(stored[0].severity, "high");
  EXPECT_TRUE(same_json(*stored[0].previous_value, "[true]"));
  EXPECT_EQ(stored[0].current_value, std::nullopt);
  EXPECT_EQ(stored[0].system_id, id_of("a"));
  EXPECT_EQ(stored[1].previous_id, ids[2]);
  EXPECT_EQ(stored[1].current_id, ids[0]);
  EXPECT_EQ(stored[1].created_at, at(50));
  EXPECT_FALSE(stored[1].notification_sent);
  const auto receipt = *stores_.intake.receipt(id_of("a"), MessageId("m1"));
  EXPECT_TRUE(receipt->compared);
  EXPECT_EQ(receipt->change_count, 2);
}

TEST_P(ComparisonContract, NothingPendingAsksNobodyAndNamesTheNewest) {
  const auto ids = two_records();
  const auto nobody = [](const ComparisonState&) -> std::vector<RecordDiffs> {
    ADD_FAILURE() << "asked";
    return {};
  };
  EXPECT_THAT(*compare("a", nobody, 30), ElementsAre(Compared{id_of("a"), ids[1], 0, true}));
  EXPECT_THAT(*compare("b", nobody, 30), IsEmpty());
  EXPECT_THAT(*compare("unknown", nobody, 30), IsEmpty());
  const std::vector<SystemId> odd = {SystemId("no uuid"), SystemId(std::string("\0\xff", 2))};
  EXPECT_THAT(*stores_.comparison.compare({odd, 20, std::nullopt, at(30)}, nobody), IsEmpty());
}

TEST_P(ComparisonContract, WhatWasHeldAndWhatCameBeforeIsThereNextTime) {
  add_systems({"a"});
  const auto first = store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        return {{first[0], std::nullopt, R"({ "held": ["as it is"] })", {}}};
      },
      12)));
  const auto next = store({arrival("m2", "a", R"({"n":2})", 20), arrival("m3", "a", R"({"n":3})", 30)}, 31);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_TRUE(state.baseline.has_value());
        EXPECT_EQ(state.baseline->id, first[0]);
        EXPECT_EQ(state.baseline->timestamp, at(10));
        EXPECT_EQ(state.baseline->held, R"({ "held": ["as it is"] })");
        EXPECT_TRUE(same_json(state.baseline->document, R"({"n":1})"));
        EXPECT_EQ(state.newest_processed, std::make_pair(at(10), first[0]));
        return {{next[0], first[0], "", {}}};  // the other one stays pending
      },
      32)));
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_EQ(state.pending.size(), 1U);
        EXPECT_EQ(state.baseline->id, next[0]);
        EXPECT_EQ(state.baseline->held, "");
        return {{next[1], next[0], "", {}}};
      },
      33)));
}

// Whoever was not to blame for it loses nothing but the name of the record that changed.
TEST_P(ComparisonContract, ARecordThatIsGivenUpIsNoBaseline) {
  add_systems({"a"});
  const auto ids = store({arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 20),
                          arrival("m3", "a", R"({"n":3})", 30), arrival("m4", "a", R"({"n":4})", 40)},
                         50);
  const auto settle_next = [&](bool given_up, std::optional<RecordId> baseline) {
    ASSERT_TRUE(succeeded(compare(
        "a",
        [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
          EXPECT_EQ(state.baseline ? std::optional(state.baseline->id) : std::nullopt, baseline);
          return {{state.pending.at(0).id, std::nullopt, "", {}, given_up}};
        },
        60)));
  };
  settle_next(true, std::nullopt);
  settle_next(false, std::nullopt);
  settle_next(true, ids[1]);
  settle_next(false, ids[1]);
  EXPECT_THAT(*stores_.comparison.unfinished(at(1000), 10), IsEmpty());
}

TEST_P(ComparisonContract, ALatecomerSeesWhatIsBeforeItAndWhatWasProcessedAfterIt) {
  add_systems({"a"});
  const auto early = store({arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":3})", 30)}, 31);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        return {{early[0], std::nullopt, "", {}}, {early[1], early[0], "", {}}};
      },
      32)));
  store({arrival("m3", "a", R"({"n":2})", 20)}, 33);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_EQ(state.baseline->id, early[0]);
        EXPECT_EQ(state.newest_processed, std::make_pair(at(30), early[1]));
        return {};
      },
      34)));
}

TEST_P(ComparisonContract, TakesNoMoreRecordsThanAskedForAndSeveralSystems) {
  add_systems({"a", "b"});
  store({arrival("m1", "a", R"({"n":1})", 10), arrival("m2", "a", R"({"n":2})", 20),
         arrival("m3", "a", R"({"n":3})", 30), arrival("m4", "b", R"({"n":4})", 10)},
        40);
  const std::vector<SystemId> both = {id_of("a"), id_of("b"), id_of("a")};
  std::map<SystemId, std::size_t> seen;
  const auto done =
      stores_.comparison.compare({both, 2, std::nullopt, at(50)}, [&](const ComparisonState& state) {
        EXPECT_TRUE(seen.emplace(state.system_id, state.pending.size()).second) << "asked twice";
        std::vector<RecordDiffs> decided;
        for (const auto& record : state.pending) decided.push_back({record.id, std::nullopt, "", {}});
        return decided;
      });
  ASSERT_TRUE(succeeded(done));
  EXPECT_THAT(*done, SizeIs(3));
  EXPECT_THAT(seen, testing::UnorderedElementsAre(Pair(id_of("a"), 2), Pair(id_of("b"), 1)));
}

TEST_P(ComparisonContract, LastChangedKnowsTheNewestChangeOfEachPathSinceThen) {
  const auto ids = two_records();
  const auto third = store({arrival("m3", "a", R"({"n":3})", 30)}, 31);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) -> std::vector<RecordDiffs> {
        EXPECT_THAT(state.last_changed, ElementsAre(Pair("facts.n", at(20)), Pair("facts.new", at(20))));
        return {{third[0], ids[1], "", {change("facts.n", "2", "3")}}};
      },
      40, at(20))));
  store({arrival("m4", "a", R"({"n":4})", 50)}, 51);
  const auto none = [](const ComparisonState&) { return std::vector<RecordDiffs>(); };
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) {
        EXPECT_THAT(state.last_changed, ElementsAre(Pair("facts.n", at(40)), Pair("facts.new", at(20))));
        return none(state);
      },
      60, at(0))));
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState& state) {
        EXPECT_THAT(state.last_changed, ElementsAre(Pair("facts.n", at(40))));
        return none(state);
      },
      60, at(21))));
}

TEST_P(ComparisonContract, AFailureOfTheCallerLeavesItPending) {
  add_systems({"a"});
  const auto ids = store({arrival("m1", "a", R"({"n":1})", 10)}, 11);
  EXPECT_THROW(
      (void)compare(
          "a", [](const ComparisonState&) -> std::vector<RecordDiffs> { throw std::logic_error("bug"); }, 20),
      std::logic_error);
  const auto unfinished = stores_.comparison.unfinished(at(1000), 10);
  ASSERT_THAT(*unfinished, SizeIs(1));
  EXPECT_EQ(unfinished->front().record_id, ids[0]);
  EXPECT_EQ(unfinished->front().system_id, id_of("a"));
}

TEST_P(ComparisonContract, UnfinishedRecordsComeOldestFirstUntilTheyAreSettled) {
  add_systems({"a", "b"});
  const auto b = store({arrival("m1", "b", R"({"n":1})", 10)}, 11);
  const auto a = store({arrival("m2", "a", R"({"n":1})", 5)}, 12);
  const auto late = store({arrival("m3", "a", R"({"n":2})", 20)}, 21);
  const auto ids = [](const auto& result) {
    std::vector<RecordId> found;
    for (const auto& record : *result) found.push_back(record.record_id);
    return found;
  };
  EXPECT_THAT(ids(stores_.comparison.unfinished(at(21), 10)), ElementsAre(b[0], a[0]));
  EXPECT_THAT(ids(stores_.comparison.unfinished(at(1000), 1)), ElementsAre(b[0]));
  ASSERT_TRUE(succeeded(compare(
      "b",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        return {{b[0], std::nullopt, "", {}}};
      },
      30)));
  EXPECT_THAT(ids(stores_.comparison.unfinished(at(1000), 10)), ElementsAre(a[0], late[0]));
  const auto settled = *stores_.history.latest(id_of("b"));
  EXPECT_EQ(settled->processed_at, at(30));
  EXPECT_FALSE(settled->has_changes);
}

TEST_P(ComparisonContract, DiffsAreFilteredAndPaged) {
  const auto ids = two_records();
  const auto third = store({arrival("m3", "a", R"({"n":3})", 30)}, 31);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        auto low = change("net.mtu", "1500", std::nullopt);
        low.severity = diff::Severity::low;
        low.category = "network";
        return {{third[0], ids[1], "", {low}}};
      },
      40)));
  EXPECT_THAT(paths(diffs()), ElementsAre("net.mtu", "facts.new", "facts.n"));
  EXPECT_THAT(paths(diffs({}, 2)), ElementsAre("net.mtu", "facts.new"));
  const auto filtered = [&](auto set) {
    DiffFilter filter;
    set(filter);
    return paths(diffs(filter));
  };
  const auto newest = diffs().front().id;
  EXPECT_THAT(filtered([&](DiffFilter& f) { f.before = newest; }), ElementsAre("facts.new", "facts.n"));
  EXPECT_THAT(filtered([](DiffFilter& f) { f.severity = "low"; }), ElementsAre("net.mtu"));
  EXPECT_THAT(filtered([](DiffFilter& f) { f.category = "os"; }), ElementsAre("facts.new", "facts.n"));
  EXPECT_THAT(filtered([](DiffFilter& f) { f.diff_type = "create"; }), ElementsAre("facts.new"));
  EXPECT_THAT(filtered([&](DiffFilter& f) { f.current_id = third[0]; }), ElementsAre("net.mtu"));
  EXPECT_THAT(filtered([](DiffFilter& f) { f.from = at(40); }), ElementsAre("net.mtu"));
  EXPECT_THAT(filtered([](DiffFilter& f) { f.to = at(40); }), ElementsAre("facts.new", "facts.n"));
  EXPECT_THAT(filtered([&](DiffFilter& f) {
                f.from = at(20);
                f.to = at(40);
                f.severity = "high";
                f.diff_type = "update";
                f.category = "os";
                f.current_id = ids[1];
                f.before = newest;
              }),
              ElementsAre("facts.n"));
  EXPECT_THAT(*stores_.history.diffs(id_of("b"), {}, 10), IsEmpty());
  EXPECT_THAT(*stores_.history.diffs(SystemId("no uuid"), {}, 10), IsEmpty());
}

TEST_P(ComparisonContract, ValuesOfDiffsKeepEveryDigit) {
  add_systems({"a"});
  const auto ids = store({arrival("m1", "a", "{}", 10)}, 11);
  ASSERT_TRUE(succeeded(compare(
      "a",
      [&](const ComparisonState&) -> std::vector<RecordDiffs> {
        return {{ids[0],
                 std::nullopt,
                 "",
                 {change("n", "123456789012345678901234567890", "1e308"),
                  change(std::string(500, 'p'), "null", "\"é\"")}}};
      },
      20)));
  const auto stored = diffs();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].field_path, std::string(500, 'p'));
  EXPECT_EQ(stored[0].previous_value, "null");
  EXPECT_TRUE(same_json(*stored[0].current_value, "\"é\""));
  EXPECT_TRUE(same_json(*stored[1].previous_value, "123456789012345678901234567890"));
  EXPECT_TRUE(same_json(*stored[1].current_value, "1e308"));
}

TEST_P(ComparisonContract, DiffsOutliveTheirRecords) {
  const auto ids = two_records();
  sql("delete from inventory_records where id = " + std::to_string(static_cast<std::int64_t>(ids[0])));
  EXPECT_EQ(diffs()[0].previous_id, std::nullopt);
  EXPECT_EQ(diffs()[0].current_id, ids[1]);
  sql("delete from inventory_records where id = " + std::to_string(static_cast<std::int64_t>(ids[1])));
  ASSERT_THAT(diffs(), SizeIs(2));
  EXPECT_EQ(diffs()[0].current_id, std::nullopt);
  EXPECT_THAT(*stores_.alerts.unfinished(at(1000), 10), IsEmpty());
  const auto receipt = *stores_.intake.receipt(id_of("a"), MessageId("m2"));
  EXPECT_TRUE(receipt->compared);
}

}  // namespace
}  // namespace collect::test
