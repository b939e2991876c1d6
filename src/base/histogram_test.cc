// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <gtest/gtest.h>

#include <numeric>

namespace collect {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, ABoundBelongsToItsBucket) {
  Histogram histogram;
  histogram.observe(1ms);
  histogram.observe(1001us);
  histogram.observe(21'600s);
  histogram.observe(48h);
  histogram.observe(-5s);
  const auto seen = histogram.seen();
  EXPECT_EQ(seen.counts.front(), 2U);
  EXPECT_EQ(seen.counts[1], 1U);
  EXPECT_EQ(seen.counts[Histogram::kBounds.size() - 1], 1U);
  EXPECT_EQ(seen.counts.back(), 1U);
  EXPECT_NEAR(seen.seconds, 0.002001 + 21'600 + 48 * 3'600, 1e-6);
}

TEST(Histogram, Adds) {
  Histogram a;
  Histogram b;
  a.observe(1s);
  b.observe(1s);
  b.observe(2h);
  auto sum = a.seen();
  sum += b.seen();
  EXPECT_EQ(std::accumulate(sum.counts.begin(), sum.counts.end(), 0U), 3U);
  EXPECT_DOUBLE_EQ(sum.seconds, 7'202);
}

}  // namespace
}  // namespace collect
