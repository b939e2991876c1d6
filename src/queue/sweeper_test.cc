// SPDX-License-Identifier: Apache-2.0
#include "queue/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "queue/memory_queue_test.h"

namespace collect::queue {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::SizeIs;

const Time kNow = parse_rfc3339("2026-01-02T03:04:05Z").value();
constexpr Stage kStage = Stage::processing;

// Since when something has to be unfinished, and how many jobs at most.
using Question = std::pair<Time, std::size_t>;
const Question kWhenEmpty{kNow - seconds(30), 1000};
const Question kWhenBusy{kNow - minutes(15), 100};

class SweeperTest : public testing::Test {
 protected:
  void find(const std::vector<std::string>& texts) {
    std::vector<Onward> jobs;
    for (const auto& text : texts) jobs.push_back({kStage, text});
    found_ = std::move(jobs);
  }
  void put_in_line(Stage stage, const std::string& text) {
    ASSERT_TRUE(queue_.enqueue(stage, std::vector<std::string>{text}));
  }
  void claim_all() { ASSERT_TRUE(queue_.claim(kStage, worker_, {})); }
  void settle(const Settlement& settlement) { ASSERT_TRUE(queue_.settle(kStage, worker_, settlement)); }

  MemoryQueue queue_;
  const WorkerId worker_ = this_worker("test");
  const ManualClock clock_{kNow};
  Result<std::vector<Onward>> found_ = std::vector<Onward>();
  std::vector<Question> asked_;
  Sweeper sweeper_{queue_, kStage,
                   [this](Time before, std::size_t limit) {
                     asked_.emplace_back(before, limit);
                     return found_;
                   },
                   clock_};
};

TEST_F(SweeperTest, WithNothingInLineWhatIsUnfinishedForHalfAMinuteIsQueuedInOrder) {
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.push_back("job " + std::to_string(i));
  find(texts);
  put_in_line(Stage::inventory, "of another stage");
  sweeper_.sweep();
  EXPECT_THAT(asked_, ElementsAre(kWhenEmpty));
  EXPECT_THAT(queue_.ready(kStage), ElementsAreArray(texts));
  EXPECT_THAT(queue_.ready(Stage::inventory), SizeIs(1));
}

TEST_F(SweeperTest, BehindAFilledQueueItTakesOnlyALittleOfWhatIsUnfinishedForLong) {
  put_in_line(kStage, "in line");
  sweeper_.sweep();
  claim_all();
  ASSERT_THAT(queue_.ready(kStage), IsEmpty());
  sweeper_.sweep();
  settle({.delayed = {{"in line", kNow}}});
  ASSERT_THAT(queue_.delayed(kStage), SizeIs(1));
  sweeper_.sweep();
  EXPECT_THAT(asked_, ElementsAre(kWhenBusy, kWhenBusy, kWhenBusy));

  find({"old"});
  sweeper_.sweep();
  EXPECT_THAT(queue_.ready(kStage), ElementsAre("old"));
}

// Nobody works on those.
TEST_F(SweeperTest, DeadLettersDoNotFillAQueue) {
  put_in_line(kStage, "bad");
  claim_all();
  settle({.dead = {"bad"}});
  sweeper_.sweep();
  EXPECT_THAT(asked_, ElementsAre(kWhenEmpty));
}

TEST_F(SweeperTest, NothingFoundIsNothingQueued) {
  sweeper_.sweep();
  EXPECT_THAT(asked_, SizeIs(1));
  EXPECT_EQ(queue_.enqueue_calls, 0);
}

TEST_F(SweeperTest, ADatabaseThatIsAwayCostsARound) {
  found_ = unavailable("the database is away");
  sweeper_.sweep();
  EXPECT_EQ(queue_.enqueue_calls, 0);
  find({"a"});
  sweeper_.sweep();
  EXPECT_THAT(queue_.ready(kStage), ElementsAre("a"));
}

TEST_F(SweeperTest, AQueueThatIsAwayCostsARound) {
  find({"a"});
  queue_.set_fault(unavailable("the queue is away"));
  sweeper_.sweep();
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_EQ(queue_.enqueue_calls, 0);

  // Away only when the jobs come.
  queue_.set_fault(std::nullopt);
  queue_.before_enqueue = [this] { queue_.set_fault(unavailable("the queue is full")); };
  sweeper_.sweep();
  EXPECT_EQ(queue_.enqueue_calls, 1);
  EXPECT_THAT(queue_.ready(kStage), IsEmpty());

  queue_.set_fault(std::nullopt);
  queue_.before_enqueue = nullptr;
  sweeper_.sweep();
  EXPECT_THAT(queue_.ready(kStage), ElementsAre("a"));
}

}  // namespace
}  // namespace collect::queue
