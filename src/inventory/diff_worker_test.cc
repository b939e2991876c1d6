// SPDX-License-Identifier: Apache-2.0
#include "inventory/diff_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diff/rules.h"
#include "inventory/jobs.h"

namespace collect::inventory {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

// Says what it is told to say was compared.
class ScriptedStore final : public ComparisonStore {
 public:
  std::vector<Compared> compared;

  Result<std::vector<Compared>> compare(const ComparisonQuestion&, const DecideComparison&) override {
    return compared;
  }
  Result<std::vector<UnfinishedRecord>> unfinished(Time, std::size_t) override {
    return std::vector<UnfinishedRecord>{};
  }
};

class DiffWorkerTest : public testing::Test {
 protected:
  // What is handed on when the job of system "a" is done.
  std::vector<queue::Onward> handed_on() {
    const std::vector<queue::Message> messages = {
        queue::decode(comparison_job(SystemId("a"), 3, kNow).text, 3).value()};
    auto outcomes = worker_.handle(messages, [] { return true; });
    return std::get<queue::Done>(outcomes.value().front()).onward;
  }

  ScriptedStore store_;
  Recent recent_;
  ManualClock clock_{kNow};
  DiffWorker worker_{store_, [] { return std::make_shared<const diff::Rules>(diff::Rules::builtin()); },
                     recent_, clock_, 3};
};

TEST_F(DiffWorkerTest, ChangesAreHandedOnAndNothingElse) {
  store_.compared = {{SystemId("a"), RecordId{1}, 0, false}};
  EXPECT_THAT(handed_on(), IsEmpty());
  store_.compared = {{SystemId("a"), RecordId{2}, 3, false}};
  EXPECT_THAT(handed_on(), SizeIs(1));
}

// A process was killed after its transaction and before its queue had the job: alerts waited for the sweep, a
// minute, on a busy service a quarter of an hour.
TEST_F(DiffWorkerTest, WhatWasComparedBeforeAKillIsHandedOnByWhoeverFindsItDone) {
  store_.compared = {{SystemId("a"), RecordId{7}, 0, true}};
  const auto onward = handed_on();
  ASSERT_THAT(onward, SizeIs(1));
  EXPECT_EQ(onward.front().stage, queue::Stage::notification);
  EXPECT_THAT(onward.front().text, testing::HasSubstr(R"("record_id":7)"));
  EXPECT_EQ(worker_.counters().records, 0U) << "counted by who compared it";
}

}  // namespace
}  // namespace collect::inventory
