// SPDX-License-Identifier: Apache-2.0
#include "backups/rate_limit.h"

#include <gtest/gtest.h>

namespace collect::backups {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{1'767'323'045s};
const SystemId kA("a");
const SystemId kB("b");

TEST(RateLimit, CountsTheLastMinute) {
  RateLimit limit(3, 0);
  EXPECT_EQ(limit.take(kA, kNow), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 20s), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 40s), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 50s), 10s);
  EXPECT_EQ(limit.take(kB, kNow + 50s), std::nullopt);
  // A refused one does not count.
  EXPECT_EQ(limit.take(kA, kNow + 59500ms), 1s);
  EXPECT_EQ(limit.take(kA, kNow + 60s), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 61s), 19s);
}

TEST(RateLimit, CountsTheLastHour) {
  RateLimit limit(100, 2);
  EXPECT_EQ(limit.take(kA, kNow), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 10min), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 20min), 40min);
  EXPECT_EQ(limit.take(kA, kNow + 60min), std::nullopt);
  EXPECT_EQ(limit.take(kA, kNow + 60min), 10min);
}

TEST(RateLimit, ZeroIsNone) {
  RateLimit limit(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limit.take(kA, kNow), std::nullopt);
}

}  // namespace
}  // namespace collect::backups
