// SPDX-License-Identifier: Apache-2.0
#include "backend/s3/part_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace collect::s3 {
namespace {

TEST(PartBuffer, TakesWhatItHasRoomFor) {
  PartBuffer buffer(10'000);
  EXPECT_TRUE(buffer.has_memory());
  const std::string bytes(6'000, 'a');
  EXPECT_EQ(buffer.append(bytes), 6'000U);
  EXPECT_FALSE(buffer.full());
  EXPECT_EQ(buffer.append(bytes), 4'000U);
  EXPECT_TRUE(buffer.full());
  EXPECT_EQ(buffer.append(bytes), 0U);
  EXPECT_EQ(buffer.bytes(), std::string(10'000, 'a'));
  buffer.clear();
  EXPECT_EQ(buffer.append("b"), 1U);
  EXPECT_EQ(buffer.bytes(), "b");
}

TEST(PartBuffer, HoldsNothingUntilItHasMemory) {
  PartBuffer buffer;
  EXPECT_FALSE(buffer.has_memory());
  EXPECT_EQ(buffer.append("a"), 0U);
  buffer = PartBuffer(1);
  EXPECT_EQ(buffer.append("ab"), 1U);
  const PartBuffer other = std::move(buffer);
  EXPECT_EQ(other.bytes(), "a");
}

}  // namespace
}  // namespace collect::s3
