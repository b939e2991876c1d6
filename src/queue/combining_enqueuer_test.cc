// SPDX-License-Identifier: Apache-2.0
#include "queue/combining_enqueuer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <thread>

#include "queue/memory_queue_test.h"

namespace collect::queue {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

TEST(CombiningEnqueuer, OneCallServesAllThatWait) {
  MemoryQueue queue;
  WakeUp wake_up;
  CombiningEnqueuer enqueuer(queue, wake_up);
  queue.before_enqueue = [] { std::this_thread::sleep_for(milliseconds(100)); };
  std::latch all_there(20);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 20; ++i) {
      threads.emplace_back([&, i] {
        all_there.arrive_and_wait();
        EXPECT_TRUE(enqueuer.put(Stage::inventory, std::to_string(i)));
      });
    }
  }
  EXPECT_EQ(queue.ready(Stage::inventory).size(), 20U);
  EXPECT_LE(queue.enqueue_calls, 10);
}

TEST(CombiningEnqueuer, KeepsItsLimits) {
  MemoryQueue queue;
  WakeUp wake_up;
  CombiningEnqueuer enqueuer(queue, wake_up, {.messages = 3, .bytes = 100});
  queue.before_enqueue = [] { std::this_thread::sleep_for(milliseconds(5)); };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&enqueuer, i] {
        EXPECT_TRUE(enqueuer.put(Stage::inventory, std::string(i % 4 == 0 ? 90 : 2, 'x')));
        EXPECT_TRUE(enqueuer.put(Stage::processing, "y"));
      });
    }
  }
  EXPECT_EQ(queue.ready(Stage::inventory).size(), 12U);
  EXPECT_EQ(queue.ready(Stage::processing).size(), 12U);
  EXPECT_LE(queue.largest_enqueue_texts, 3U);
  EXPECT_LE(queue.largest_enqueue_bytes, 100U);
}

TEST(CombiningEnqueuer, EachCallersTextsStayInOrder) {
  MemoryQueue queue;
  WakeUp wake_up;
  CombiningEnqueuer enqueuer(queue, wake_up, {.messages = 2, .bytes = 1000});
  {
    std::vector<std::jthread> threads;
    for (char name = 'a'; name < 'e'; ++name) {
      threads.emplace_back([&enqueuer, name] {
        for (int i = 100; i < 200; ++i) EXPECT_TRUE(enqueuer.put(Stage::inventory, name + std::to_string(i)));
      });
    }
  }
  auto texts = queue.ready(Stage::inventory);
  ASSERT_EQ(texts.size(), 400U);
  std::stable_sort(texts.begin(), texts.end(), [](const auto& x, const auto& y) { return x[0] < y[0]; });
  EXPECT_TRUE(std::is_sorted(texts.begin(), texts.end()));
}

TEST(CombiningEnqueuer, EverybodyHearsOfAFailureAndTheNextTriesAgain) {
  MemoryQueue queue;
  WakeUp wake_up;
  CombiningEnqueuer enqueuer(queue, wake_up);
  queue.fault = unavailable("full");
  const auto refused = enqueuer.put(Stage::inventory, "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  queue.fault.reset();
  queue.before_enqueue = [] { throw std::runtime_error("a bug"); };
  EXPECT_EQ(enqueuer.put(Stage::inventory, "b").failure().kind, FailureKind::internal);
  queue.before_enqueue = nullptr;
  EXPECT_TRUE(enqueuer.put(Stage::inventory, "c"));
  EXPECT_THAT(queue.ready(Stage::inventory), ElementsAre("c"));
}

TEST(WakeUp, RingsOnceForOneWaiterEvenAhead) {
  WakeUp wake_up;
  const std::stop_source stop;
  wake_up.ring(Stage::inventory);
  const auto begin = std::chrono::steady_clock::now();
  wake_up.wait(Stage::inventory, std::chrono::seconds(10), stop.get_token());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  wake_up.wait(Stage::inventory, milliseconds(20), stop.get_token());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
}

}  // namespace
}  // namespace collect::queue
