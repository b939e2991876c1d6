// SPDX-License-Identifier: Apache-2.0
#include "inventory/budget.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

using namespace std::chrono_literals;

TEST(Budget, AllowsABurstThenTheRate) {
  Budget budget(60);
  const Time start(1'760'000'000s);
  const SystemId system("s");
  for (int i = 0; i < 60; ++i) EXPECT_EQ(budget.take(system, start), std::nullopt) << i;
  EXPECT_EQ(budget.take(system, start), 1s);
  EXPECT_EQ(budget.take(SystemId("other"), start), std::nullopt);
  EXPECT_EQ(budget.take(system, start + 1s), std::nullopt);
  EXPECT_NE(budget.take(system, start + 1s), std::nullopt);
  EXPECT_EQ(budget.take(system, start + 10min), std::nullopt);
}

TEST(Budget, ZeroMeansNoLimit) {
  Budget budget(0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(budget.take(SystemId("s"), Time{}), std::nullopt);
}

}  // namespace
}  // namespace collect::inventory
