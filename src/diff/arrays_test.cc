// SPDX-License-Identifier: Apache-2.0
#include "diff/arrays.h"

#include <gtest/gtest.h>

namespace collect::diff {
namespace {

json::Document parse(const std::string& text) {
  return *json::Document::parse(text);
}

// "0>1 -2 +3": paired, deleted, created.
std::string aligned(const std::string& a, const std::string& b) {
  const auto previous = parse(a);
  const auto current = parse(b);
  std::string out;
  for (const auto& [i, j] : align(previous.root(), current.root())) {
    if (!out.empty()) out += ' ';
    if (i && j) out += std::to_string(*i) + ">" + std::to_string(*j);
    if (i && !j) out += "-" + std::to_string(*i);
    if (!i && j) out += "+" + std::to_string(*j);
  }
  return out;
}

bool same_set(const std::string& a, const std::string& b) {
  const auto previous = parse(a);
  const auto current = parse(b);
  return equal_as_sets(previous.root(), current.root());
}

TEST(Hash, IsTheSameForEqualValues) {
  const auto hash = [](const std::string& text) {
    const auto document = parse(text);
    return hash_of(document.root());
  };
  EXPECT_EQ(hash(R"({"a":1,"b":[2,null]})"), hash(R"({"b":[2.0,null],"a":10e-1})"));
  EXPECT_EQ(hash("-0.0"), hash("0"));
  EXPECT_NE(hash("[1,2]"), hash("[2,1]"));
  EXPECT_NE(hash("[]"), hash("{}"));
  EXPECT_NE(hash("null"), hash("false"));
  EXPECT_NE(hash("\"1\""), hash("1"));
}

TEST(Sets, CountTheirElements) {
  EXPECT_TRUE(same_set("[1,2,2]", "[2,1.0,2]"));
  EXPECT_FALSE(same_set("[1,2,2]", "[1,1,2]"));
  EXPECT_FALSE(same_set("[1]", "[1,1]"));
  EXPECT_TRUE(same_set(R"([{"a":[1]},"x",null])", R"([null,{"a":[1]},"x"])"));
  EXPECT_TRUE(same_set("[9007199254740993,9007199254740992]", "[9007199254740992,9007199254740993]"));
  EXPECT_FALSE(same_set("[9007199254740993]", "[9007199254740992]"));
}

TEST(Align, EqualElementsFindEachOther) {
  EXPECT_EQ(aligned(R"([{"a":1},{"a":2},{"a":3}])", R"([{"a":3},{"a":1},{"a":2}])"), "");
  EXPECT_EQ(aligned(R"([{"a":1},{"a":2},{"a":3}])", R"([{"a":1},{"a":3}])"), "-1");
  EXPECT_EQ(aligned(R"([{"a":1},{"a":3}])", R"([{"a":1},{"a":2},{"a":3}])"), "+1");
  EXPECT_EQ(aligned(R"([{"a":1},{"a":1}])", R"([{"a":1}])"), "-1");
  EXPECT_EQ(aligned("[]", R"([{"a":1}])"), "+0");
}

TEST(Align, TheMoreAlikeBelongTogether) {
  EXPECT_EQ(aligned(R"([{"n":"x","v":1},{"n":"y","v":2}])", R"([{"n":"y","v":3}])"), "1>0 -0");
  EXPECT_EQ(aligned(R"([{"n":"x","v":1},{"n":"y","v":2}])", R"([{"n":"y","v":3},{"n":"x","v":4}])"),
            "1>0 0>1");
}

TEST(Align, WhatHasNothingInCommonGoesByPlace) {
  EXPECT_EQ(aligned(R"([{"a":1},{"k":0},{"a":2}])", R"([{"a":3},{"k":0},{"a":4}])"), "0>0 2>2");
  EXPECT_EQ(aligned(R"([{"a":1},{"k":0}])", R"([{"k":0},{"a":4}])"), "+1 -0");
}

TEST(Align, StaysFastOnLongArrays) {
  std::string a = "[";
  std::string b = "[";
  for (int i = 0; i < 10'000; ++i) {
    const auto name = "{\"name\":\"n" + std::to_string(i) + "\",\"count\":";
    a += (i > 0 ? "," : "") + name + "1}";
    if (i != 5) b += (i > 0 ? "," : "") + name + "2}";
  }
  const auto previous = parse(a + "]");
  const auto current = parse(b + "]");
  const auto pairs = align(previous.root(), current.root());
  ASSERT_EQ(pairs.size(), 10'000U);
  EXPECT_EQ(pairs.back().previous, 5U);
  EXPECT_FALSE(pairs.back().current.has_value());
  EXPECT_EQ(pairs[5].previous, 6U);
}

}  // namespace
}  // namespace collect::diff
