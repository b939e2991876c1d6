// SPDX-License-Identifier: Apache-2.0
#include "contract/queue_contract.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "support/process.h"
#include "support/seed.h"

namespace collect::queue::test {
namespace {

using collect::test::eventually;
using collect::test::sleep_for;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds kShortLease{300};
constexpr milliseconds kPastIt{400};

Time now() {
  return SystemClock().now();
}

Texts numbered(int count, std::string_view system = "") {
  Texts texts;
  for (int i = 0; i < count; ++i) texts.push_back(text_of(system, i));
  return texts;
}

// ---------------------------------------------------------------- order and limits

TEST_P(QueueContract, FirstInFirstOut) {
  const auto queue = open();
  put(*queue, {"a", "b"});
  put(*queue, {"c"});
  put(*queue, {"d"}, Stage::processing);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("a", "b", "c"));
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("w")), IsEmpty());
  EXPECT_THAT(taken(*queue, worker("w"), {}, Stage::processing), ElementsAre("d"));
}

TEST_P(QueueContract, NothingComesOfNothing) {
  const auto queue = open();
  must(queue->enqueue(kStage, {}));
  EXPECT_THAT(taken(*queue, worker("w")), IsEmpty());
  EXPECT_EQ(settle(*queue, worker("w")), Settled::lease_lost);
  EXPECT_FALSE(must(queue->renew(kStage, worker("w"))));
  EXPECT_EQ(must(queue->upkeep(kStage)), 0U);
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 0, 0, 0));
}

TEST_P(QueueContract, AClaimThatIsNotSettledComesAgain) {
  const auto queue = open();
  put(*queue, {"a", "b", "c"});
  EXPECT_THAT(taken(*queue, worker("w"), {.messages = 2}), ElementsAre("a", "b"));
  put(*queue, {"d"});
  const auto again = take(*queue, worker("w"));
  EXPECT_THAT(again.texts, ElementsAre("a", "b"));
  EXPECT_FALSE(again.adopted);
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_EQ(settle(*queue, worker("w")), Settled::lease_lost);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("c", "d"));
}

TEST_P(QueueContract, AClaimKeepsItsLimits) {
  const auto queue = open();
  const std::string large(1000, 'x');
  put(*queue, {large + "1", large + "2", large + "3", "4", "5", "6"});
  EXPECT_EQ(taken(*queue, worker("w"), {.messages = 2}).size(), 2U);
  settle(*queue, worker("w"), {.give_back = {large + "1", large + "2"}});
  EXPECT_EQ(taken(*queue, worker("w"), {.messages = 10, .bytes = 2500}).size(), 2U);
  settle(*queue, worker("w"));
  EXPECT_THAT(taken(*queue, worker("w"), {.messages = 10, .bytes = 5}), ElementsAre(large + "3"));
  settle(*queue, worker("w"));
  EXPECT_THAT(taken(*queue, worker("w"), {.messages = 10, .bytes = 2}), ElementsAre("4", "5"));
}

TEST_P(QueueContract, TwoWorkersShareALine) {
  const auto queue = open();
  put(*queue, {"a", "b", "c"});
  EXPECT_THAT(taken(*queue, worker("1"), {.messages = 2}), ElementsAre("a", "b"));
  EXPECT_THAT(taken(*queue, worker("2"), {.messages = 2}), ElementsAre("c"));
}

TEST_P(QueueContract, AFullQueueTakesAllOrNothing) {
  const auto queue = open({.max_depth = 5});
  put(*queue, {"a", "b", "c", "d"});
  const auto refused = queue->enqueue(kStage, Texts{"e", "f"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(refused.failure().message, HasSubstr("full"));
  EXPECT_THAT(numbers(*queue), ElementsAre(4, 0, 0, 0));
  put(*queue, {"e"});
  // What is delayed waits too; what is claimed does not.
  EXPECT_EQ(taken(*queue, worker("w"), {.messages = 3}).size(), 3U);
  EXPECT_EQ(settle(*queue, worker("w"), {.delayed = {{"a", now() + seconds(60)}}}), Settled::done);
  put(*queue, {"f", "g"});
  EXPECT_FALSE(queue->enqueue(kStage, Texts{"h"}));
  must(queue->enqueue(Stage::processing, Texts{"another stage"}));
}

TEST_P(QueueContract, WhatFollowsIsNeverRefusedForDepth) {
  const auto queue = open({.max_depth = 1});
  put(*queue, {"full"}, Stage::processing);
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  EXPECT_EQ(settle(*queue, worker("w"), {.onward = {{Stage::processing, "x"}, {Stage::processing, "y"}}}),
            Settled::done);
  EXPECT_THAT(numbers(*queue, Stage::processing), ElementsAre(3, 0, 0, 0));
}

// ---------------------------------------------------------------- settling

TEST_P(QueueContract, SettlingPutsEverythingInItsPlace) {
  const auto queue = open();
  put(*queue, {"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(taken(*queue, worker("w"), {.messages = 5}).size(), 5U);
  EXPECT_THAT(numbers(*queue), ElementsAre(1, 5, 0, 0));
  const Settlement settlement = {
      .onward = {{Stage::processing, "p1"}, {Stage::notification, "n1"}, {Stage::processing, "p2"}},
      .delayed = {{"b again", now() + seconds(60)}},
      .dead = {"c dead", "C dead"},
      .give_back = {"d", "e"}};
  EXPECT_EQ(settle(*queue, worker("w"), settlement), Settled::done);
  EXPECT_THAT(numbers(*queue), ElementsAre(3, 0, 1, 2));
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("d", "e", "f"));
  EXPECT_THAT(taken(*queue, worker("w"), {}, Stage::processing), ElementsAre("p1", "p2"));
  EXPECT_THAT(taken(*queue, worker("w"), {}, Stage::notification), ElementsAre("n1"));
  EXPECT_THAT(must(queue->peek(kStage, Part::dead, 10)), ElementsAre("C dead", "c dead"));
  EXPECT_THAT(must(queue->peek(kStage, Part::dead, 1)), ElementsAre("C dead"));
  EXPECT_THAT(must(queue->peek(kStage, Part::dead, 0)), IsEmpty());
}

TEST_P(QueueContract, PeekingShowsWhatComesNextAndTakesNothing) {
  const auto queue = open();
  put(*queue, {"a", "b"});
  EXPECT_EQ(taken(*queue, worker("w")).size(), 2U);
  settle(*queue, worker("w"), {.delayed = {{"later", now() + seconds(60)}, {"sooner", now() + seconds(30)}}});
  put(*queue, {"c", "d", "e"});
  EXPECT_THAT(must(queue->peek(kStage, Part::ready, 2)), ElementsAre("c", "d"));
  EXPECT_THAT(must(queue->peek(kStage, Part::ready, 9)), ElementsAre("c", "d", "e"));
  EXPECT_THAT(must(queue->peek(kStage, Part::delayed, 9)), ElementsAre("sooner", "later"));
  EXPECT_THAT(must(queue->peek(kStage, Part::ready, 0)), IsEmpty());
  EXPECT_THAT(must(queue->peek(Stage::processing, Part::ready, 9)), IsEmpty());
  EXPECT_THAT(numbers(*queue), ElementsAre(3, 0, 2, 0));
}

TEST_P(QueueContract, ADeadLetterLeavesOnceAndMayComeAgain) {
  const auto queue = open();
  put(*queue, {"a", "b", "c"});
  EXPECT_EQ(taken(*queue, worker("w")).size(), 3U);
  settle(*queue, worker("w"), {.dead = {"same", "same", "other"}});
  put(*queue, {"waiting"});
  EXPECT_TRUE(must(queue->take_dead(kStage, "same", "again")));
  EXPECT_TRUE(must(queue->take_dead(kStage, "other", std::nullopt)));
  EXPECT_FALSE(must(queue->take_dead(kStage, "other", "twice")));
  EXPECT_FALSE(must(queue->take_dead(Stage::processing, "same", "elsewhere")));
  EXPECT_THAT(must(queue->peek(kStage, Part::dead, 9)), ElementsAre("same"));
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("waiting", "again"));
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 2, 0, 1));
}

TEST_P(QueueContract, WhatIsGivenBackComesFirstInItsOldOrder) {
  const auto queue = open();
  put(*queue, numbered(10));
  for (int round = 0; round < 3; ++round) {
    const auto texts = taken(*queue, worker("w"), {.messages = 4});
    EXPECT_EQ(texts, Texts(numbered(4)));
    EXPECT_EQ(settle(*queue, worker("w"), {.give_back = texts}), Settled::done);
  }
  EXPECT_EQ(taken(*queue, worker("w")), numbered(10));
}

TEST_P(QueueContract, DelayedMessagesWaitForTheirTime) {
  const auto queue = open();
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  const Time base = now();
  settle(*queue, worker("w"),
         {.delayed = {{"later", base + seconds(60)},
                      {"second", base + milliseconds(2)},
                      {"first", base + milliseconds(1)},
                      {"past", base - seconds(5)}}});
  put(*queue, {"z"});
  sleep_for(milliseconds(20));
  EXPECT_EQ(must(queue->upkeep(kStage)), 3U);
  EXPECT_EQ(must(queue->upkeep(kStage)), 0U);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("z", "past", "first", "second"));
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 4, 1, 0));
}

TEST_P(QueueContract, TenThousandDueMessagesMoveOnceBetweenTwoPromoters) {
  const auto one = open();
  const auto two = open();
  constexpr int kMany = 10000;
  put(*one, {"a"});
  taken(*one, worker("w"));
  Settlement settlement;
  for (int i = 0; i < kMany; ++i) settlement.delayed.push_back({text_of("s", i), now() - seconds(1)});
  settle(*one, worker("w"), settlement);
  std::uint64_t by_one = 0;
  std::uint64_t by_two = 0;
  {
    std::jthread first([&] { by_one = must(one->upkeep(kStage)); });
    std::jthread second([&] { by_two = must(two->upkeep(kStage)); });
  }
  EXPECT_EQ(by_one + by_two, static_cast<std::uint64_t>(kMany));
  EXPECT_THAT(numbers(*one), ElementsAre(kMany, 0, 0, 0));
  auto texts = taken(*one, worker("w"), {.messages = 2 * kMany, .bytes = 64U << 20U});
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::unique(texts.begin(), texts.end()) - texts.begin(), kMany);
}

// ---------------------------------------------------------------- leases

TEST_P(QueueContract, AnExpiredClaimIsAdoptedAndTheLateSettleDoesNothing) {
  const auto queue = open({.lease = kShortLease});
  const auto other = open();
  put(*queue, {"a", "b", "c"});
  EXPECT_THAT(taken(*queue, worker("late"), {.messages = 2}), ElementsAre("a", "b"));
  sleep_for(kPastIt);
  const auto adopted = take(*other, worker("new"), {.messages = 1});
  EXPECT_THAT(adopted.texts, ElementsAre("a", "b"));
  EXPECT_TRUE(adopted.adopted);
  EXPECT_TRUE(take(*other, worker("new")).adopted) << "asking again does not make it safe";

  const Settlement late = {
      .onward = {{Stage::processing, "x"}}, .delayed = {{"x", now()}}, .dead = {"x"}, .give_back = {"x"}};
  EXPECT_FALSE(must(queue->renew(kStage, worker("late"))));
  EXPECT_EQ(settle(*queue, worker("late"), late), Settled::lease_lost);
  EXPECT_THAT(numbers(*queue), ElementsAre(1, 2, 0, 0));
  EXPECT_THAT(numbers(*queue, Stage::processing), ElementsAre(0, 0, 0, 0));

  EXPECT_EQ(settle(*other, worker("new")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("late")), ElementsAre("c"));
}

TEST_P(QueueContract, AWorkerThatLostItsClaimGetsANewOneOfItsOwn) {
  const auto queue = open({.lease = kShortLease});
  const auto other = open();
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  sleep_for(kPastIt);
  EXPECT_TRUE(take(*other, worker("other")).adopted);
  put(*queue, {"b"});
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("b"));
  EXPECT_EQ(settle(*other, worker("other")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("b"));
}

TEST_P(QueueContract, ARenewedLeaseIsKept) {
  const auto queue = open({.lease = milliseconds(5000)});
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  for (int i = 0; i < 8; ++i) {
    sleep_for(milliseconds(800));
    EXPECT_TRUE(must(queue->renew(kStage, worker("w"))));
  }
  EXPECT_THAT(taken(*queue, worker("other")), IsEmpty());
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_FALSE(must(queue->renew(kStage, worker("w"))));
}

TEST_P(QueueContract, AnExpiredClaimThatNobodyAdoptedCanStillBeSettled) {
  const auto queue = open({.lease = milliseconds(1)});
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  sleep_for(milliseconds(20));
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 0, 0, 0));
}

TEST_P(QueueContract, StrikesCountUntilAbsolved) {
  const auto queue = open();
  const auto other = open();
  EXPECT_EQ(must(queue->strike(kStage, "a", "1")), 1);
  EXPECT_EQ(must(other->strike(kStage, "a", "2")), 2);
  EXPECT_EQ(must(queue->strike(kStage, "b", "1")), 1);
  EXPECT_EQ(must(queue->strike(Stage::processing, "a", "2")), 1);
  must(queue->absolve(kStage, "a"));
  must(queue->absolve(kStage, "never struck"));
  EXPECT_EQ(must(queue->strike(kStage, "a", "2")), 1);
  EXPECT_EQ(must(queue->strike(kStage, "b", "2")), 2);
}

TEST_P(QueueContract, AStrikeThatComesAgainCountsOnce) {
  const auto queue = open();
  for (const int strikes : {1, 2, 3}) {
    const auto attempt = std::to_string(strikes) + " more";
    EXPECT_EQ(must(queue->strike(kStage, "a", attempt)), strikes);
    EXPECT_EQ(must(queue->strike(kStage, "a", attempt)), strikes);
  }
}

TEST_P(QueueContract, UpkeepEndsTheLeasesOfProcessesThatAreGone) {
  const auto queue = open({.lease = seconds(600)});
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto mine = worker("w").text;
    _exit(write(ends[1], mine.data(), mine.size()) > 0 ? 0 : 1);
  }
  std::array<char, 512> name{};
  const auto length = read(ends[0], name.data(), name.size());
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  ASSERT_GT(length, 0);
  put(*queue, {"a", "b"});
  EXPECT_EQ(
      taken(*queue, {std::string(name.data(), static_cast<std::size_t>(length))}, {.messages = 1}).size(),
      1U);
  EXPECT_THAT(taken(*queue, worker("alive")), ElementsAre("b"));
  EXPECT_EQ(settle(*queue, worker("alive")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("alive")), IsEmpty());
  put(*queue, {"c"});
  EXPECT_THAT(taken(*queue, worker("other, alive")), ElementsAre("c"));
  EXPECT_EQ(must(queue->upkeep(kStage)), 0U);
  const auto adopted = take(*queue, worker("alive"));
  EXPECT_THAT(adopted.texts, ElementsAre("a"));
  EXPECT_TRUE(adopted.adopted);
}

// ---------------------------------------------------------------- one system, one worker at a time

TEST_P(QueueContract, ASystemsMessagesAreNeverInTwoClaims) {
  const auto queue = open();
  put(*queue, {text_of("a", 1), text_of("b", 1), text_of("a", 2), text_of("c", 1)});
  EXPECT_EQ(taken(*queue, worker("1"), {.messages = 1}), Texts{text_of("a", 1)});
  EXPECT_EQ(taken(*queue, worker("2")), Texts{text_of("b", 1)}) << "stops short of a's second";
  EXPECT_THAT(taken(*queue, worker("3")), IsEmpty());
  EXPECT_EQ(settle(*queue, worker("1")), Settled::done);
  EXPECT_EQ(taken(*queue, worker("3")), (Texts{text_of("a", 2), text_of("c", 1)}));
}

TEST_P(QueueContract, AStageDoesNotHoldUpAnother) {
  const auto queue = open();
  put(*queue, {text_of("a", 1)});
  put(*queue, {text_of("a", 1)}, Stage::processing);
  EXPECT_EQ(taken(*queue, worker("1")).size(), 1U);
  EXPECT_EQ(taken(*queue, worker("2"), {}, Stage::processing).size(), 1U);
}

TEST_P(QueueContract, AnAdoptedSystemIsBusyWithItsAdopter) {
  const auto queue = open({.lease = kShortLease});
  const auto other = open();
  put(*queue, {text_of("a", 1), text_of("a", 2)});
  taken(*queue, worker("1"), {.messages = 1});
  sleep_for(kPastIt);
  EXPECT_TRUE(take(*other, worker("2")).adopted);
  EXPECT_THAT(taken(*queue, worker("1")), IsEmpty());
  EXPECT_EQ(settle(*other, worker("2")), Settled::done);
  EXPECT_EQ(taken(*queue, worker("1")), Texts{text_of("a", 2)});
}

TEST_P(QueueContract, MessagesOfNoSystemAreNeverBusy) {
  const auto queue = open();
  put(*queue, {"{}", "{}", "{}"});
  EXPECT_EQ(taken(*queue, worker("1"), {.messages = 1}).size(), 1U);
  EXPECT_EQ(taken(*queue, worker("2"), {.messages = 1}).size(), 1U);
}

// Hands out and settles at random from four threads; each system's numbers have to come in order, each once.
TEST_P(QueueContract, EachSystemsMessagesAreHandledInOrderAndOnce) {
  const std::uint64_t seed = collect::test::test_seed();
  constexpr int kSystems = 12;
  constexpr int kEach = 60;
  std::array<std::unique_ptr<Queue>, 2> queues = {open(), open()};
  std::mutex mutex;
  std::map<std::string, int> next;  // guarded by mutex
  std::atomic<int> handled = 0;
  std::atomic<int> out_of_order = 0;

  const auto consume = [&](unsigned thread) {
    std::minstd_rand random(seed + thread);
    Queue& queue = *queues.at(thread % 2);
    const auto me = worker("w" + std::to_string(thread));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (handled < kSystems * kEach && std::chrono::steady_clock::now() < deadline) {
      const auto texts = taken(queue, me, {.messages = 1 + random() % 8});
      if (texts.empty()) {
        std::this_thread::yield();
        continue;
      }
      const auto kept = 1 + random() % texts.size();
      Settlement settlement;
      settlement.give_back.assign(texts.begin() + static_cast<std::ptrdiff_t>(kept), texts.end());
      for (std::size_t i = 0; i < kept; ++i) {
        const std::string system(system_of(texts[i]));
        const std::lock_guard lock(mutex);
        if (texts[i] != text_of(system, next[system]++)) ++out_of_order;
      }
      if (random() % 4 == 0) std::this_thread::yield();
      EXPECT_EQ(settle(queue, me, settlement), Settled::done);
      handled += static_cast<int>(kept);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(consume, i);
    std::minstd_rand random(seed);
    std::vector<int> written(kSystems, 0);
    for (int left = kSystems * kEach; left > 0;) {
      Texts batch;
      for (int i = 0; i < 5; ++i) {
        const auto system = random() % kSystems;
        if (written[system] == kEach) continue;
        batch.push_back(text_of("s" + std::to_string(system), written[system]++));
        --left;
      }
      put(*queues[0], batch);
    }
  }
  EXPECT_EQ(handled, kSystems * kEach);
  EXPECT_EQ(out_of_order, 0);
  EXPECT_THAT(numbers(*queues[0]), ElementsAre(0, 0, 0, 0));
}

// ---------------------------------------------------------------- texts and numbers

TEST_P(QueueContract, AnyBytesComeBackAsTheyWere) {
  const auto queue = open();
  std::string every;
  for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
  const Texts texts = {every,      std::string(3, '\0'), "", "null", "\"system_id\":\"\xff\"",
                       "\xf0\x9f", "a\r\n$3\r\n"};
  put(*queue, texts);
  EXPECT_EQ(taken(*queue, worker("w")), texts);
  settle(*queue, worker("w"), {.delayed = {{every, now()}}, .dead = {every}, .give_back = {every}});
  sleep_for(milliseconds(5));
  EXPECT_EQ(must(queue->upkeep(kStage)), 1U);
  EXPECT_EQ(taken(*queue, worker("w")), (Texts{every, every}));
  EXPECT_THAT(must(queue->peek(kStage, Part::dead, 5)), ElementsAre(every));
}

TEST_P(QueueContract, ALargeMessagePasses) {
  const auto queue = open();
  const std::string large = text_of("s", 1) + std::string(10U << 20U, ' ');
  put(*queue, {large, "small"});
  EXPECT_TRUE(taken(*queue, worker("w"), {.messages = 10, .bytes = 1U << 20U}) == Texts{large});
  EXPECT_EQ(settle(*queue, worker("w"), {.onward = {{Stage::processing, large}}}), Settled::done);
  EXPECT_TRUE(taken(*queue, worker("w"), {}, Stage::processing) == Texts{large});
}

TEST_P(QueueContract, DepthTellsTheAgeOfTheNextMessage) {
  const auto queue = open();
  EXPECT_FALSE(must(queue->depth(kStage)).oldest_ready);
  Message message;
  message.id = MessageId(new_uuid_v4());
  message.system_id = SystemId("s");
  message.data = "{}";
  message.created_at = parse_rfc3339("2026-01-02T03:04:05.678901Z").value();
  put(*queue, {encode(message), "not JSON"});
  EXPECT_EQ(must(queue->depth(kStage)).oldest_ready, message.created_at);
  taken(*queue, worker("w"), {.messages = 1});
  EXPECT_FALSE(must(queue->depth(kStage)).oldest_ready);
}

TEST_P(QueueContract, AnotherProcessSeesTheSame) {
  const auto queue = open();
  put(*queue, {"a", "b"});
  const auto other = open();
  EXPECT_THAT(numbers(*other), ElementsAre(2, 0, 0, 0));
  EXPECT_THAT(taken(*other, worker("w"), {.messages = 1}), ElementsAre("a"));
  EXPECT_THAT(numbers(*queue), ElementsAre(1, 1, 0, 0));
}

}  // namespace
}  // namespace collect::queue::test
