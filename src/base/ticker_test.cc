// SPDX-License-Identifier: Apache-2.0
#include "base/ticker.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>
#include <stdexcept>

namespace collect {
namespace {

using namespace std::chrono_literals;

TEST(Ticker, CallsAgainAndAgainAlsoAfterAnException) {
  std::counting_semaphore<> called(0);
  Ticker ticker("test", 1ms, [&] {
    called.release();
    throw std::runtime_error("expected by the test");
  });
  EXPECT_TRUE(called.try_acquire_for(10s));
  EXPECT_TRUE(called.try_acquire_for(10s));
}

TEST(Ticker, PokeEndsTheInterval) {
  std::binary_semaphore called(0);
  Ticker ticker("test", 1h, [&] { called.release(); });
  ticker.poke();
  EXPECT_TRUE(called.try_acquire_for(10s));
}

TEST(Ticker, EndsWithoutWaitingForTheInterval) {
  int calls = 0;
  {
    const Ticker ticker("test", 1h, [&] { ++calls; });
  }
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace collect
