// SPDX-License-Identifier: Apache-2.0
#include "base/lru_cache.h"

#include <gtest/gtest.h>

namespace collect {
namespace {

std::shared_ptr<const int> number(int value) {
  return std::make_shared<const int>(value);
}

TEST(LruCache, WhatWasUsedLongestAgoGoesFirst) {
  LruCache<int> cache(3);
  cache.put("a", number(1), 1);
  cache.put("b", number(2), 1);
  cache.put("c", number(3), 1);
  ASSERT_NE(cache.find("a"), nullptr);
  cache.put("d", number(4), 1);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_EQ(*cache.find("c"), 3);
  EXPECT_EQ(*cache.find("d"), 4);
}

TEST(LruCache, OneHeavyValuePushesOutSeveral) {
  LruCache<int> cache(4);
  for (const char* key : {"a", "b", "c", "d"}) cache.put(key, number(0), 1);
  cache.put("heavy", number(9), 3);
  EXPECT_EQ(cache.weight(), 4U);
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("c"), nullptr);
  EXPECT_NE(cache.find("d"), nullptr);
  EXPECT_NE(cache.find("heavy"), nullptr);
}

TEST(LruCache, WhatIsTooHeavyAloneIsNotKeptAndPushesNothingOut) {
  LruCache<int> cache(2);
  cache.put("a", number(1), 1);
  cache.put("mountain", number(2), 3);
  EXPECT_EQ(cache.find("mountain"), nullptr);
  EXPECT_NE(cache.find("a"), nullptr);
}

TEST(LruCache, AKeyKeepsItsValueAndIsWeighedOnce) {
  LruCache<int> cache(4);
  cache.put("a", number(1), 2);
  cache.put("a", number(2), 2);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_EQ(cache.weight(), 2U);
}

TEST(LruCache, AReplacedValueIsTheNewOneAndIsWeighedOnce) {
  LruCache<int> cache(4);
  cache.put("a", number(1), 2);
  cache.put("b", number(2), 1);
  cache.replace("a", number(3), 3);
  EXPECT_EQ(*cache.find("a"), 3);
  EXPECT_EQ(*cache.find("b"), 2);
  EXPECT_EQ(cache.weight(), 4U);
}

TEST(LruCache, WhatIsHeldOutlivesItsEntry) {
  LruCache<int> cache(1);
  cache.put("a", number(7), 1);
  const auto held = cache.find("a");
  cache.put("b", number(8), 1);
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ(*held, 7);
}

}  // namespace
}  // namespace collect
