// SPDX-License-Identifier: Apache-2.0
#include "inventory/comparison.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

Time at(int seconds) {
  return Time(std::chrono::seconds(1'760'000'000 + seconds));
}

PendingRecord record(int id, int second, const std::string& document) {
  return {RecordId(id), at(second), document};
}

ComparisonState state(std::optional<Baseline> baseline, std::vector<PendingRecord> pending) {
  ComparisonState out;
  out.system_id = SystemId("s");
  out.baseline = std::move(baseline);
  out.pending = std::move(pending);
  return out;
}

const diff::Rules kRules = diff::Rules::builtin();

ComparisonDecision decide_comparison(const diff::Rules& rules, const ComparisonState& state, Time now) {
  Recent recent;
  Documents documents(recent);
  return inventory::decide_comparison(rules, state, documents, now);
}

std::vector<std::string> paths(const RecordDiffs& record) {
  std::vector<std::string> out;
  for (const diff::Change& change : record.changes) out.push_back(change.field_path);
  return out;
}

using Paths = std::vector<std::string>;

TEST(Comparison, TheFirstRecordChangesNothing) {
  const auto decision = decide_comparison(kRules, state(std::nullopt, {record(1, 1, R"({"a":1})")}), at(9));
  ASSERT_EQ(decision.records.size(), 1U);
  EXPECT_TRUE(decision.records[0].changes.empty());
  EXPECT_EQ(decision.records[0].previous_id, std::nullopt);
}

TEST(Comparison, EachRecordIsComparedWithTheOneBefore) {
  const auto decision = decide_comparison(
      kRules,
      state(Baseline{RecordId(1), at(1), R"({"v":"A"})", ""},
            {record(2, 2, R"({"v":"B"})"), record(3, 3, R"({"v":"A"})"), record(4, 4, R"({"v":"A" })")}),
      at(9));
  ASSERT_EQ(decision.records.size(), 3U);
  EXPECT_FALSE(decision.again);
  EXPECT_EQ(paths(decision.records[0]), Paths{"v"});
  EXPECT_EQ(decision.records[0].previous_id, RecordId(1));
  EXPECT_EQ(paths(decision.records[1]), Paths{"v"});
  EXPECT_EQ(decision.records[1].changes[0].current_value, "\"A\"");
  EXPECT_TRUE(decision.records[2].changes.empty());
}

TEST(Comparison, LateRecordsAreSettledAloneAndWithoutChanges) {
  ComparisonState late = state(Baseline{RecordId(1), at(1), R"({"v":"A"})", ""},
                               {record(5, 2, R"({"v":"X"})"), record(6, 7, R"({"v":"C"})")});
  late.newest_processed = {at(4), RecordId(4)};
  const auto decision = decide_comparison(kRules, late, at(9));
  ASSERT_EQ(decision.records.size(), 1U);
  EXPECT_EQ(decision.records[0].record_id, RecordId(5));
  EXPECT_TRUE(decision.records[0].changes.empty());
  EXPECT_TRUE(decision.again);
}

TEST(Comparison, WhatIsHeldBackTravelsAlongTheChain) {
  const std::string whole = R"({"installation":"nethserver","facts":{"cluster":{"subscription":"x"},"n":1}})";
  const std::string broken = R"({"installation":"nethserver","facts":{"cluster":null,"n":1}})";
  const auto decision = decide_comparison(
      kRules, state(Baseline{RecordId(1), at(1), whole, ""}, {record(2, 2, broken), record(3, 3, whole)}),
      at(9));
  EXPECT_TRUE(decision.records[0].changes.empty());
  EXPECT_FALSE(decision.records[0].held.empty());
  EXPECT_TRUE(decision.records[1].changes.empty());
  EXPECT_TRUE(decision.records[1].held.empty());

  const auto later = decide_comparison(
      kRules,
      state(Baseline{RecordId(2), at(2), broken, decision.records[0].held}, {record(3, 3, broken + " ")}),
      at(9));
  EXPECT_EQ(paths(later.records[0]), Paths{"facts.cluster"});
}

TEST(Comparison, AnUnreadableRecordOfOthersStopsNobody) {
  const auto decision = decide_comparison(kRules,
                                          state(Baseline{RecordId(1), at(1), R"({"v":"A"})", ""},
                                                {record(2, 2, "not json"), record(3, 3, R"({"v":"B"})")}),
                                          at(9));
  EXPECT_TRUE(decision.records[0].changes.empty());
  EXPECT_EQ(paths(decision.records[1]), Paths{"v"});
}

}  // namespace
}  // namespace collect::inventory
