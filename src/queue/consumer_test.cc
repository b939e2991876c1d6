// SPDX-License-Identifier: Apache-2.0
#include "queue/consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "queue/memory_queue_test.h"

namespace collect::queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Time kStart = parse_rfc3339("2026-01-02T03:04:05Z").value();
constexpr Stage kStage = Stage::inventory;

std::string message(const std::string& name, int attempts = 0) {
  Message out;
  out.id = MessageId("00000000-0000-4000-8000-0000000000" + name);
  out.system_id = SystemId(name);
  out.data = "{\"name\":\"" + name + "\"}";
  out.attempts = attempts;
  return encode(out);
}

// Does what the test says for each message, by its system's name.
class ScriptedHandler final : public Handler {
 public:
  std::function<Result<Outcome>(const Message&)> each = [](const Message&) { return Outcome(Done{}); };
  std::function<Result<void>()> at_burial = [] { return Result<void>(); };
  std::set<std::string> had_effects;  // by their systems' names
  std::function<void(const StillOurs&)> before;

  Result<std::vector<Outcome>> handle(std::span<const Message> messages,
                                      const StillOurs& still_ours) override {
    {
      const std::lock_guard lock(mutex_);
      batches_.push_back(messages.size());
    }
    if (before) before(still_ours);
    if (!still_ours()) return conflict("not ours");
    std::vector<Outcome> outcomes;
    for (const auto& one : messages) {
      auto outcome = each(one);
      if (!outcome) return outcome.failure();
      outcomes.push_back(*std::move(outcome));
    }
    const std::lock_guard lock(mutex_);
    for (const auto& one : messages) handled_.push_back(one.system_id.text());
    return outcomes;
  }
  Result<std::map<MessageId, Done>> bury(std::span<const Message> dead) override {
    if (auto buried = at_burial(); !buried) return buried.failure();
    const std::lock_guard lock(mutex_);
    buried_.insert(buried_.end(), dead.begin(), dead.end());
    std::map<MessageId, Done> done;
    for (const Message& one : dead) {
      if (had_effects.contains(one.system_id.text())) done[one.id] = {{{Stage::processing, "follows"}}};
    }
    return done;
  }

  std::vector<std::size_t> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::string> handled() {
    const std::lock_guard lock(mutex_);
    return handled_;
  }
  std::vector<Message> buried() {
    const std::lock_guard lock(mutex_);
    return buried_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::size_t> batches_;
  std::vector<std::string> handled_;
  std::vector<Message> buried_;
};

class ConsumerTest : public testing::Test {
 protected:
  ConsumerTest() {
    options_.stage = kStage;
    options_.poll_least = milliseconds(2);
    options_.poll_most = milliseconds(5);
    options_.fault_least = milliseconds(1);
    options_.fault_most = milliseconds(5);
    options_.stop_grace = milliseconds(300);
  }
  void put(std::vector<std::string> texts) { ASSERT_TRUE(queue_.enqueue(kStage, texts)); }

  void start() { start_with(leases_); }
  void start_with(LeaseKeeper& leases) {
    consumer_.emplace(queue_, handler_, leases, wake_up_, clock_, WorkerId{"me"}, options_);
    thread_ = std::jthread([this](const std::stop_token& stop) { consumer_->run(stop); });
  }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  template <class Condition>
  void run_until(Condition condition) {
    start();
    ASSERT_TRUE(eventually(condition));
    stop();
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }
  auto settled(int times) {
    return [this, times] { return queue_.settled(kStage) >= times; };
  }
  const ConsumerCounters& counters() { return consumer_->counters(); }

  MemoryQueue queue_;
  ScriptedHandler handler_;
  LeaseKeeper leases_{queue_, milliseconds(30)};
  WakeUp wake_up_;
  ManualClock clock_{kStart};
  ConsumerOptions options_;
  std::optional<Consumer> consumer_;
  std::jthread thread_;
};

TEST_F(ConsumerTest, WhatIsDoneGoesOnward) {
  handler_.each = [](const Message& one) {
    return Outcome(Done{.onward = {{Stage::processing, "next of " + one.system_id.text()}}});
  };
  put({message("01"), message("02")});
  run_until(settled(1));
  EXPECT_THAT(handler_.handled(), ElementsAre("01", "02"));
  EXPECT_THAT(queue_.ready(Stage::processing), ElementsAre("next of 01", "next of 02"));
  EXPECT_EQ(counters().handled, 2U);
  EXPECT_EQ(counters().batches, 1U);
}

TEST_F(ConsumerTest, AFailedMessageWaitsLongerEachTime) {
  handler_.each = [](const Message&) { return Outcome(Failed{"no such system"}); };
  put({message("01", 0), message("02", 1)});
  run_until(settled(1));
  const auto delayed = queue_.delayed(kStage);
  ASSERT_THAT(delayed, SizeIs(2));
  for (int i = 0; i < 2; ++i) {
    const auto& one = delayed[static_cast<std::size_t>(i)];
    const auto delay = one.due - kStart;
    EXPECT_GE(delay, seconds(5) * (i + 1));
    EXPECT_LE(delay, seconds(6) * (i + 1));
    EXPECT_EQ(decode(one.text, 3)->attempts, i + 1);
    EXPECT_THAT(*decode(one.text, 3)->error, HasSubstr("no such system"));
  }
  EXPECT_EQ(counters().failed, 2U);
  EXPECT_EQ(counters().retried, 2U);
  EXPECT_THAT(handler_.buried(), IsEmpty());
}

TEST_F(ConsumerTest, AfterTheLastAttemptItIsBuriedAndDead) {
  handler_.each = [](const Message&) { return Outcome(Failed{"bad"}); };
  put({message("01", 2)});
  run_until(settled(1));
  ASSERT_THAT(handler_.buried(), SizeIs(1));
  EXPECT_EQ(handler_.buried()[0].attempts, 3);
  EXPECT_THAT(*handler_.buried()[0].error, HasSubstr("attempt 3 at 2026-01-02T03:04:05.000000Z: bad"));
  EXPECT_THAT(queue_.dead(kStage), ElementsAre(encode(handler_.buried()[0])));
  EXPECT_THAT(queue_.delayed(kStage), IsEmpty());
  EXPECT_EQ(counters().dead, 1U);
}

TEST_F(ConsumerTest, GarbageDiesAloneWithItsBytes) {
  std::vector<std::string> texts;
  for (int i = 10; i < 60; ++i) texts.push_back(message(std::to_string(i)));
  texts.insert(texts.begin() + 20, {"\xff\x01", "{}", "null"});
  put(texts);
  run_until(settled(1));
  EXPECT_THAT(handler_.handled(), SizeIs(50));
  EXPECT_THAT(queue_.dead(kStage), SizeIs(3));
  ASSERT_THAT(handler_.buried(), SizeIs(3));
  EXPECT_EQ(handler_.buried()[0].data, "{\"base64\":\"/wE=\"}");
  EXPECT_EQ(handler_.buried()[1].data, "{\"text\":\"{}\"}");
  EXPECT_TRUE(handler_.buried()[2].error);
}

TEST_F(ConsumerTest, AFaultOutsideCountsNothingAndKeepsTheClaim) {
  std::atomic<int> calls = 0;
  handler_.each = [&calls](const Message&) -> Result<Outcome> {
    if (++calls < 6) return unavailable("the database is away");
    return Outcome(Done{});
  };
  put({message("01")});
  run_until(settled(1));
  EXPECT_EQ(counters().handled, 1U);
  EXPECT_EQ(counters().failed, 0U);
  EXPECT_EQ(counters().faults, 5U);
  EXPECT_EQ(counters().batches, 1U);
}

TEST_F(ConsumerTest, OneThatThrowsDoesNotTakeItsBatchWithIt) {
  handler_.each = [](const Message& one) -> Result<Outcome> {
    if (one.system_id.text() == "02") throw std::runtime_error("a bug");
    if (one.system_id.text() == "03") return internal("another");
    return Outcome(Done{});
  };
  put({message("01"), message("02"), message("03"), message("04")});
  run_until(settled(1));
  EXPECT_THAT(handler_.batches(), ElementsAre(4, 1, 1, 1, 1));
  EXPECT_THAT(handler_.handled(), ElementsAre("01", "04"));
  const auto delayed = queue_.delayed(kStage);
  ASSERT_THAT(delayed, SizeIs(2));
  EXPECT_THAT(*decode(delayed[0].text, 3)->error, HasSubstr("a bug"));
  EXPECT_THAT(*decode(delayed[1].text, 3)->error, HasSubstr("another"));
}

// It is nobody's fault: what all together need, one alone may not, and what one alone needs, another moment
// has.
TEST_F(ConsumerTest, AMessageForWhichThereIsNoMemoryWaits) {
  std::atomic<int> failures{0};
  handler_.each = [&](const Message& one) -> Result<Outcome> {
    if (one.system_id.text() == "02" && ++failures <= 5) throw std::bad_alloc();
    return Outcome(Done{});
  };
  put({message("01"), message("02"), message("03")});
  run_until(settled(1));
  EXPECT_THAT(handler_.handled(), ElementsAre("01", "02", "03"));
  EXPECT_THAT(queue_.delayed(kStage), IsEmpty());
  EXPECT_THAT(queue_.dead(kStage), IsEmpty());
}

TEST_F(ConsumerTest, LongWorkKeepsItsLease) {
  handler_.before = [this](const StillOurs&) { eventually([this] { return queue_.renewed(kStage) >= 3; }); };
  put({message("01")});
  run_until(settled(1));
  EXPECT_EQ(counters().handled, 1U);
  EXPECT_EQ(counters().lease_lost, 0U);
}

TEST_F(ConsumerTest, ALostLeaseDropsTheBatch) {
  std::atomic<bool> lost = false;
  handler_.before = [&](const StillOurs& still_ours) {
    if (lost) return;
    lost = true;
    queue_.lose_leases(kStage);
    EXPECT_TRUE(eventually([&] { return !still_ours(); }));
  };
  put({message("01")});
  start();
  ASSERT_TRUE(eventually([&] { return counters().lease_lost == 1; }));
  EXPECT_THAT(handler_.handled(), IsEmpty());
  put({message("02")});
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("02"));
}

TEST_F(ConsumerTest, WhoHangsForLongLosesTheLease) {
  LeaseKeeper leases(queue_, milliseconds(30), milliseconds(200));
  bool hung = false;
  handler_.before = [&](const StillOurs&) {
    if (std::exchange(hung, true)) return;
    const auto nobody_renews = [&] {
      const int before = queue_.renewed(kStage);
      std::this_thread::sleep_for(seconds(1));
      return queue_.renewed(kStage) == before;
    };
    EXPECT_TRUE(eventually(nobody_renews));
  };
  put({message("01")});
  start_with(leases);
  ASSERT_TRUE(eventually([&] { return counters().lease_lost == 1; }));
  stop();
}

TEST_F(ConsumerTest, WhoWaitsForAnOutageToEndDoesNotHang) {
  LeaseKeeper leases(queue_, milliseconds(30), milliseconds(1000));
  std::atomic<bool> away = true;
  handler_.each = [&](const Message&) -> Result<Outcome> {
    if (away) return unavailable("the database is away");
    return Outcome(Done{});
  };
  options_.fault_least = options_.fault_most = milliseconds(20);
  put({message("01")});
  start_with(leases);
  std::this_thread::sleep_for(milliseconds(2500));
  away = false;
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_EQ(counters().lease_lost, 0U);
}

TEST_F(ConsumerTest, AnAdoptedClaimIsTakenOneByOne) {
  queue_.orphan(kStage, {message("01"), message("02"), "garbage"});
  std::atomic<std::size_t> struck = 0;
  handler_.before = [&](const StillOurs&) { struck = std::max(struck.load(), queue_.strikes(kStage)); };
  run_until(settled(1));
  EXPECT_THAT(handler_.batches(), ElementsAre(1, 1));
  EXPECT_EQ(struck, 1U);
  EXPECT_EQ(queue_.strikes(kStage), 0U);
  EXPECT_THAT(queue_.dead(kStage), SizeIs(1));
}

TEST_F(ConsumerTest, ThreeStrikesAndItIsDeadUnread) {
  const auto deadly = message("02");
  ASSERT_TRUE(queue_.strike(kStage, deadly, "first"));
  ASSERT_TRUE(queue_.strike(kStage, deadly, "second"));
  queue_.orphan(kStage, {message("01"), deadly, message("03")});
  std::atomic<std::size_t> struck_last = 0;
  handler_.before = [&](const StillOurs&) { struck_last = queue_.strikes(kStage); };
  run_until(settled(1));
  EXPECT_EQ(struck_last, 2U)
      << "the next one may end the process: until the letter is settled the strikes stand";
  EXPECT_EQ(queue_.strikes(kStage), 0U);
  EXPECT_THAT(handler_.handled(), ElementsAre("01", "03"));
  ASSERT_THAT(handler_.buried(), SizeIs(1));
  EXPECT_EQ(handler_.buried()[0].id, decode(deadly, 3)->id);
  EXPECT_THAT(*handler_.buried()[0].error, HasSubstr("too often"));
  EXPECT_THAT(queue_.dead(kStage), ElementsAre(AllOf(HasSubstr("\\\"system_id\\\""), HasSubstr("02"))));
}

// Three processes ended between its commit and its settling.
TEST_F(ConsumerTest, WhatHasItsEffectsIsNoDeadLetter) {
  const auto stored = message("02");
  for (const char* end : {"first", "second"}) ASSERT_TRUE(queue_.strike(kStage, stored, end));
  handler_.had_effects = {"02"};
  queue_.orphan(kStage, {message("01"), stored, message("03")});
  start();
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("01", "03"));
  EXPECT_THAT(handler_.buried(), SizeIs(1));
  EXPECT_THAT(queue_.dead(kStage), IsEmpty());
  EXPECT_THAT(queue_.ready(Stage::processing), ElementsAre("follows"));
  EXPECT_EQ(queue_.strikes(kStage), 0U);
  EXPECT_EQ(counters().handled, 3U);
  EXPECT_EQ(counters().dead, 0U);
}

// A text that cannot be read had none, whatever the id that stands in it.
TEST_F(ConsumerTest, WhatCannotBeReadIsADeadLetterUnderAnyId) {
  handler_.had_effects = {"02"};
  put({message("02") + "}"});
  run_until(settled(1));
  EXPECT_THAT(handler_.buried(), SizeIs(1));
  EXPECT_THAT(queue_.dead(kStage), SizeIs(1));
}

TEST_F(ConsumerTest, AnOutageThatAnAdoptedMessageMeetsIsNoStrike) {
  std::atomic<bool> away = true;
  std::atomic<int> calls = 0;
  handler_.each = [&](const Message&) -> Result<Outcome> {
    EXPECT_EQ(queue_.strikes(kStage), 1U) << "struck while it is handled";
    ++calls;
    if (away) return unavailable("the database is away");
    return Outcome(Done{});
  };
  options_.fault_least = options_.fault_most = milliseconds(50);
  queue_.orphan(kStage, {message("01")});
  start();
  EXPECT_TRUE(eventually([&] { return calls > 1 && queue_.strikes(kStage) == 0; }));
  away = false;
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("01"));
}

TEST_F(ConsumerTest, AStrikeIsTakenBackOnceTheQueueIsBack) {
  handler_.before = [&](const StillOurs&) { queue_.set_fault(unavailable("the queue is away")); };
  queue_.orphan(kStage, {message("01")});
  start();
  EXPECT_TRUE(eventually([&] { return consumer_->counters().faults > 2; }));
  queue_.set_fault(std::nullopt);
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_EQ(queue_.strikes(kStage), 0U);
  EXPECT_THAT(handler_.handled(), ElementsAre("01"));
}

TEST_F(ConsumerTest, AStrikeWhoseAnswerWasLostCountsOnce) {
  const auto text = message("01");
  ASSERT_TRUE(queue_.strike(kStage, text, "an end before"));
  queue_.lose_an_answer();
  queue_.orphan(kStage, {text});
  start();
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("01"));
}

TEST_F(ConsumerTest, AStopFinishesTheBatchInHand) {
  std::atomic<bool> begun = false;
  handler_.before = [&](const StillOurs&) {
    begun = true;
    std::this_thread::sleep_for(milliseconds(50));
  };
  put({message("01"), message("02")});
  options_.limits.messages = 1;
  options_.stop_grace = seconds(30);
  start();
  ASSERT_TRUE(eventually([&] { return begun.load(); }));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("01"));
  EXPECT_THAT(queue_.ready(kStage), ElementsAre(message("02")));
}

TEST_F(ConsumerTest, AStopInAnOutageGivesEverythingBack) {
  handler_.each = [](const Message&) -> Result<Outcome> { return unavailable("away"); };
  put({message("01"), message("02")});
  start();
  ASSERT_TRUE(eventually([&] { return counters().faults > 2; }));
  stop();
  EXPECT_THAT(queue_.ready(kStage), ElementsAre(message("01"), message("02")));
  EXPECT_EQ(counters().given_back, 2U);
}

TEST_F(ConsumerTest, WorkThatOutlastsTheGraceIsRolledBackAndGivenBack) {
  std::atomic<bool> begun = false;
  handler_.before = [&](const StillOurs& still_ours) {
    begun = true;
    eventually([&] { return !still_ours(); });
  };
  put({message("01")});
  start();
  ASSERT_TRUE(eventually([&] { return begun.load(); }));
  stop();
  EXPECT_THAT(handler_.handled(), IsEmpty());
  EXPECT_THAT(queue_.ready(kStage), ElementsAre(message("01")));
}

TEST_F(ConsumerTest, ADeadQueueHoldsUpNeitherStopNorRecovery) {
  queue_.set_fault(unavailable("down"));
  start();
  ASSERT_TRUE(eventually([&] { return counters().faults > 3; }));
  queue_.set_fault(std::nullopt);
  put({message("01")});
  ASSERT_TRUE(eventually(settled(1)));
  queue_.set_fault(unavailable("down"));
  stop();
  EXPECT_THAT(handler_.handled(), ElementsAre("01"));
}

TEST_F(ConsumerTest, ASettleThatFailsIsTriedAgain) {
  handler_.before = [this](const StillOurs&) { queue_.set_fault(unavailable("down")); };
  put({message("01")});
  start();
  ASSERT_TRUE(eventually([&] { return counters().faults > 2; }));
  queue_.set_fault(std::nullopt);
  ASSERT_TRUE(eventually(settled(1)));
  stop();
  EXPECT_THAT(handler_.batches(), ElementsAre(1));
  EXPECT_EQ(counters().handled, 1U);
}

TEST_F(ConsumerTest, ABurialThatFailsIsTriedAgainOrGivenUp) {
  std::atomic<int> burials = 0;
  handler_.at_burial = [&burials]() -> Result<void> {
    if (++burials < 4) return unavailable("away");
    return {};
  };
  put({"garbage"});
  run_until(settled(1));
  EXPECT_EQ(burials, 4);
  handler_.at_burial = []() -> Result<void> { return internal("a bug"); };
  put({"more garbage"});
  run_until(settled(2));
  EXPECT_THAT(queue_.dead(kStage), SizeIs(2));
}

TEST_F(ConsumerTest, AHintSavesTheWait) {
  options_.poll_least = seconds(20);
  options_.poll_most = seconds(20);
  start();
  std::this_thread::sleep_for(milliseconds(20));
  put({message("01")});
  wake_up_.ring(kStage);
  EXPECT_TRUE(eventually(settled(1)));
  stop();
}

TEST_F(ConsumerTest, AStageThatRunsAheadWaitsForTheNext) {
  options_.limits.messages = 1;
  options_.most_ahead = 1;
  options_.longest_pause = seconds(60);
  put({message("01"), message("02")});
  ASSERT_TRUE(queue_.enqueue(Stage::processing, std::vector<std::string>{message("03"), message("04")}));
  start();
  ASSERT_TRUE(eventually(settled(1)));
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(queue_.settled(kStage), 1);
  ASSERT_TRUE(queue_.claim(Stage::processing, WorkerId{"other"}, {}));
  EXPECT_TRUE(eventually(settled(2)));
  stop();
}

TEST_F(ConsumerTest, ANextStageThatStandsStillStopsNobody) {
  options_.limits.messages = 1;
  options_.most_ahead = 1;
  options_.longest_pause = milliseconds(5);
  put({message("01"), message("02"), message("03")});
  ASSERT_TRUE(queue_.enqueue(Stage::processing, std::vector<std::string>{message("04"), message("05")}));
  run_until(settled(3));
}

TEST_F(ConsumerTest, AStopEndsThePauseForTheNextStage) {
  options_.limits.messages = 1;
  options_.most_ahead = 1;
  options_.longest_pause = seconds(60);
  put({message("01"), message("02")});
  ASSERT_TRUE(queue_.enqueue(Stage::processing, std::vector<std::string>{message("04"), message("05")}));
  run_until(settled(1));  // stop() joins
  EXPECT_EQ(queue_.settled(kStage), 1);
}

}  // namespace
}  // namespace collect::queue
