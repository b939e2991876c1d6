// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>

namespace collect {
namespace {

TEST(Pool, RunsEveryJobItTook) {
  std::atomic<int> done{0};
  int taken = 0;
  {
    Pool pool(4, 10000);
    for (int i = 0; i < 5000; ++i) taken += pool.try_run([&done] { ++done; }) ? 1 : 0;
  }
  EXPECT_EQ(taken, 5000);
  EXPECT_EQ(done, 5000);
}

TEST(Pool, RefusesBeyondItsLimitAndTakesAgainLater) {
  std::promise<void> gate;
  const auto open = gate.get_future().share();
  std::promise<void> begun;
  Pool pool(1, 2);
  ASSERT_TRUE(pool.try_run([&begun, open] {
    begun.set_value();
    open.wait();
  }));
  begun.get_future().wait();
  std::atomic<int> done{0};
  EXPECT_TRUE(pool.try_run([&done] { ++done; }));
  EXPECT_TRUE(pool.try_run([&done] { ++done; }));
  EXPECT_FALSE(pool.try_run([&done] { ++done; }));
  EXPECT_EQ(pool.waiting(), 2U);
  gate.set_value();
  std::promise<void> later;
  while (!pool.try_run([&later] { later.set_value(); })) std::this_thread::yield();
  later.get_future().wait();
  EXPECT_EQ(done, 2);
}

TEST(Pool, WithoutAQueueItStillUsesItsThreads) {
  Pool pool(1, 0);
  std::promise<void> ran;
  ASSERT_TRUE(pool.try_run([&ran] { ran.set_value(); }));
  ran.get_future().wait();
}

TEST(Pool, SurvivesAJobThatThrows) {
  std::promise<void> ran;
  Pool pool(1, 10);
  ASSERT_TRUE(pool.try_run([] { throw std::runtime_error("on purpose"); }));
  ASSERT_TRUE(pool.try_run([&ran] { ran.set_value(); }));
  ran.get_future().wait();
}

TEST(Pool, LetsGoOfAJobOnceItRan) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  Pool pool(1, 10);
  std::promise<void> next;
  ASSERT_TRUE(pool.try_run([held = std::move(held)] {}));
  ASSERT_TRUE(pool.try_run([&next] { next.set_value(); }));
  next.get_future().wait();
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace collect
