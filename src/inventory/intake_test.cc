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

}  // namespace
}  // namespace collect::inventory
