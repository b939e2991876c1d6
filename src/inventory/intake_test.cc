// SPDX-License-Identifier: Apache-2.0
#include "inventory/intake.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace collect::inventory {
namespace {

Time at(int seconds) {
  return Time(std::chrono::seconds(1'760'000'000 + seconds));
}

Arrival arrival(const std::string& id, const std::string& system, int second, const std::string& document) {
  return {MessageId(id), SystemId(system), at(second), std::nullopt, document, to_hex(sha256(document))};
}

IntakeState state_with(const std::string& system, std::optional<LatestRecord> latest) {
  IntakeState state;
  state.systems[SystemId(system)] = std::move(latest);
  return state;
}

LatestRecord latest(int id, int second, const std::string& document) {
  return {RecordId(id), at(second), to_hex(sha256(document)), ""};
}

const ApplicationRules kRules;

IntakeDecision decide_intake(std::span<const Arrival> batch, const IntakeState& state,
                             const ApplicationRules& rules) {
  Recent recent;
  std::vector<std::shared_ptr<const Derived>> derived;
  for (const Arrival& each : batch) derived.push_back(read_derived(each, rules, recent));
  return inventory::decide_intake(batch, derived, state, recent);
}

TEST(Intake, TheFirstInventoryBecomesARecordAndTellsAboutTheSystem) {
  const std::vector<Arrival> batch = {
      arrival("m1", "s", 1, R"({"installation":"nethsecurity","facts":{"fqdn":"a.b"}})")};
  const auto decision = decide_intake(batch, state_with("s", std::nullopt), kRules);
  ASSERT_EQ(decision.plan.records.size(), 1U);
  EXPECT_FALSE(decision.plan.records[0].late);
  ASSERT_EQ(decision.plan.systems.size(), 1U);
  EXPECT_EQ(decision.plan.systems[0].last_inventory_at, at(1));
  EXPECT_EQ(decision.plan.systems[0].facts->fqdn, "a.b");
  ASSERT_EQ(decision.plan.processed.size(), 1U);
  EXPECT_EQ(decision.plan.processed[0].outcome, Outcome::stored);
  EXPECT_EQ(decision.plan.processed[0].record->new_record, 0U);
}

TEST(Intake, TheSameDocumentOnlyMovesTheRecordOn) {
  const std::vector<Arrival> batch = {arrival("m2", "s", 9, "{\"a\":1}"), arrival("m3", "s", 8, "{\"a\":1}")};
  const auto decision = decide_intake(batch, state_with("s", latest(7, 1, "{\"a\":1}")), kRules);
  EXPECT_TRUE(decision.plan.records.empty());
  ASSERT_EQ(decision.plan.touched.size(), 1U);
  EXPECT_EQ(decision.plan.touched[0].timestamp, at(9));
  EXPECT_EQ(decision.plan.touched[0].record.id, RecordId(7));
  ASSERT_EQ(decision.plan.processed.size(), 2U);
  EXPECT_EQ(decision.plan.processed[1].outcome, Outcome::unchanged);
  EXPECT_EQ(decision.plan.systems[0].last_inventory_at, at(9));
  EXPECT_FALSE(decision.plan.systems[0].facts.has_value());
}

TEST(Intake, AReturnToAnEarlierStateIsANewRecord) {
  const std::vector<Arrival> batch = {arrival("m1", "s", 2, "{\"v\":\"B\"}"),
                                      arrival("m2", "s", 3, "{\"v\":\"A\"}"),
                                      arrival("m3", "s", 4, "{\"v\":\"A\"}")};
  const auto decision = decide_intake(batch, state_with("s", latest(1, 1, "{\"v\":\"A\"}")), kRules);
  ASSERT_EQ(decision.plan.records.size(), 2U);
  ASSERT_EQ(decision.plan.touched.size(), 1U);
  EXPECT_EQ(decision.plan.touched[0].record.id, std::nullopt);
  EXPECT_EQ(decision.plan.touched[0].record.new_record, 1U);
}

TEST(Intake, ALateInventoryHasARecordAndNothingElse) {
  const std::vector<Arrival> batch = {arrival("m1", "s", 2, "{\"v\":\"old\"}")};
  const auto decision = decide_intake(batch, state_with("s", latest(1, 5, "{\"v\":\"new\"}")), kRules);
  ASSERT_EQ(decision.plan.records.size(), 1U);
  EXPECT_TRUE(decision.plan.records[0].late);
  EXPECT_TRUE(decision.plan.systems.empty());
  EXPECT_TRUE(decision.plan.applications.empty());
  EXPECT_EQ(decision.plan.processed[0].outcome, Outcome::stored);
}

TEST(Intake, RedeliveredMessagesDoNothing) {
  IntakeState state = state_with("s", std::nullopt);
  state.processed.insert(MessageId("m1"));
  const std::vector<Arrival> batch = {arrival("m1", "s", 1, "{\"a\":1}"), arrival("m2", "s", 2, "{\"a\":2}"),
                                      arrival("m2", "s", 2, "{\"a\":2}")};
  const auto decision = decide_intake(batch, state, kRules);
  EXPECT_EQ(decision.plan.records.size(), 1U);
  EXPECT_EQ(decision.plan.processed.size(), 1U);
}

TEST(Intake, UnknownSystemsAreRejectedAlone) {
  const std::vector<Arrival> batch = {arrival("m1", "nobody", 1, "{\"a\":1}"),
                                      arrival("m2", "s", 1, "{\"a\":1}")};
  const auto decision = decide_intake(batch, state_with("s", std::nullopt), kRules);
  ASSERT_EQ(decision.rejected.size(), 1U);
  EXPECT_EQ(decision.rejected[0].arrival, 0U);
  EXPECT_EQ(decision.rejected[0].reason, "there is no system \"nobody\"");
  EXPECT_EQ(decision.plan.records.size(), 1U);
}

TEST(Intake, FactsAreWrittenOnlyWhenTheyChanged) {
  const std::string first = R"({"installation":"nethsecurity","facts":{"fqdn":"a.b","uptime_seconds":1}})";
  const std::string second = R"({"installation":"nethsecurity","facts":{"fqdn":"a.b","uptime_seconds":2}})";
  const std::string third = R"({"installation":"nethsecurity","facts":{"fqdn":"c.d","uptime_seconds":3}})";
  const std::vector<Arrival> start = {arrival("m0", "s", 1, first)};
  const auto known = decide_intake(start, state_with("s", std::nullopt), kRules).plan.records[0].derived_hash;
  LatestRecord record = latest(1, 1, first);
  record.derived_hash = known;

  const std::vector<Arrival> same = {arrival("m1", "s", 2, second)};
  EXPECT_FALSE(decide_intake(same, state_with("s", record), kRules).plan.systems[0].facts.has_value());
  const std::vector<Arrival> moved = {arrival("m1", "s", 2, second), arrival("m2", "s", 3, third)};
  EXPECT_EQ(decide_intake(moved, state_with("s", record), kRules).plan.systems[0].facts->fqdn, "c.d");
}

// One cluster, told again and again; what was worked out stays in `recent_` as it does in the service.
class IntakeOfACluster : public testing::Test {
 protected:
  ApplicationSync tell(const std::string& modules) {
    ++second_;
    const std::vector<Arrival> batch = {
        arrival("m" + std::to_string(second_), "s", second_,
                R"({"installation":"nethserver","facts":{"nodes":{},"uptime_seconds":)" +
                    std::to_string(second_) + R"(,"modules":[)" + modules + "]}}")};
    const std::vector derived = {read_derived(batch[0], kRules, recent_)};
    auto plan = inventory::decide_intake(batch, derived, state_with("s", latest_), recent_).plan;
    latest_ = latest(second_, second_, batch[0].document);
    latest_->derived_hash = plan.records.at(0).derived_hash;
    return plan.applications.empty() ? ApplicationSync{} : plan.applications[0];
  }
  static std::vector<std::string> ids(const ApplicationSync& sync) {
    std::vector<std::string> out;
    for (const Application& each : sync.applications) out.push_back(each.module_id);
    return out;
  }
  using Ids = std::vector<std::string>;

  int second_ = 0;
  Recent recent_;
  std::optional<LatestRecord> latest_;
};

TEST_F(IntakeOfACluster, OnlyApplicationsThatDifferAreWritten) {
  EXPECT_EQ(ids(tell(R"({"id":"a1","version":"1"},{"id":"b1","version":"1"})")), (Ids{"a1", "b1"}));
  const auto changed = tell(R"({"id":"b1","version":"1"},{"id":"a1","version":"2"})");
  EXPECT_EQ(ids(changed), (Ids{"a1"}));
  EXPECT_EQ(changed.unchanged, (Ids{"b1"}));
  EXPECT_TRUE(changed.none_vanished);
  const auto gone = tell(R"({"id":"a1","version":"2"})");
  EXPECT_EQ(ids(gone), Ids{});
  EXPECT_EQ(gone.unchanged, (Ids{"a1"}));
  EXPECT_FALSE(gone.none_vanished);
  const auto came = tell(R"({"id":"a1","version":"2"},{"id":"b1","version":"1"})");
  EXPECT_EQ(ids(came), (Ids{"b1"}));
  EXPECT_TRUE(came.none_vanished);
}

TEST_F(IntakeOfACluster, OfSeveralReportsInABatchOnlyWhatTheLastOneDiffersInIsWritten) {
  const std::string b = R"({"id":"b1","version":"1"})";
  tell(R"({"id":"a1","version":"1"},)" + b);
  const auto of_all = [&](const std::vector<std::string>& modules) {
    std::vector<Arrival> batch;
    std::vector<std::shared_ptr<const Derived>> derived;
    for (std::size_t i = 0; i < modules.size(); ++i) {
      batch.push_back(arrival("n" + std::to_string(i), "s", 100 + static_cast<int>(i),
                              R"({"installation":"nethserver","facts":{"nodes":{},"uptime_seconds":)" +
                                  std::to_string(i) + R"(,"modules":[)" + modules[i] + "]}}"));
      derived.push_back(read_derived(batch.back(), kRules, recent_));
    }
    return inventory::decide_intake(batch, derived, state_with("s", latest_), recent_).plan.applications;
  };
  const std::string newer = R"({"id":"a1","version":"2"},)" + b;
  const auto syncs = of_all({newer, R"({"id":"a1","version":"3"},)" + b});
  ASSERT_EQ(syncs.size(), 1U);
  EXPECT_EQ(ids(syncs[0]), (Ids{"a1"}));
  EXPECT_EQ(syncs[0].applications[0].version, "3");
  EXPECT_EQ(syncs[0].unchanged, (Ids{"b1"}));
  // There and back.
  EXPECT_TRUE(of_all({newer, R"({"id":"a1","version":"1"},)" + b}).empty());
}

TEST_F(IntakeOfACluster, NoneVanishedOnlyWhereEachThatStoodThereIsTold) {
  const std::string modules = R"({"id":"a1","version":"1"})";
  EXPECT_FALSE(tell(modules).none_vanished);  // nothing is known about what stands there
  tell(modules + R"(,{"id":"b1","version":"1"})");
  const auto replaced = tell(R"({"id":"b1","version":"1"},{"id":"c1","version":"1"})");  // as many as before
  EXPECT_EQ(ids(replaced), (Ids{"c1"}));
  EXPECT_FALSE(replaced.none_vanished);
}

TEST_F(IntakeOfACluster, WhatAnotherProcessWroteMeanwhileIsNotTakenForKnown) {
  tell(R"({"id":"a1","version":"1"})");
  latest_->derived_hash = "what another process stored";
  EXPECT_EQ(ids(tell(R"({"id":"a1","version":"1"})")), (Ids{"a1"}));
}

TEST_F(IntakeOfACluster, AReportWithoutModulesMakesTheNextOneWriteAll) {
  tell(R"({"id":"a1","version":"1"})");
  EXPECT_EQ(ids(tell("")), Ids{});
  EXPECT_EQ(ids(tell(R"({"id":"a1","version":"1"})")), (Ids{"a1"}));
}

}  // namespace
}  // namespace collect::inventory
