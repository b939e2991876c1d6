// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/exact_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::alertmanager {
namespace {

using testing::HasSubstr;

bool taken(std::string_view text) {
  return std::holds_alternative<json::Document>(parse_exact(text));
}
Refusal refused(std::string_view text) {
  const auto parsed = parse_exact(text);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  ADD_FAILURE() << "was taken: " << text;
  return {};
}

TEST(ExactJson, TakesOneValue) {
  for (const auto* text : {"[]", " {\"a\":{\"a\":1},\"b\":[{\"a\":\":\"},{\"a\":\"\\\"a\\\":\"}]}\n",
                           "\"a:b\"", "0", "null", "{}"}) {
    EXPECT_TRUE(taken(text)) << text;
  }
}

TEST(ExactJson, RefusesAKeyTwiceAtEveryLevel) {
  for (const auto* text :
       {R"({"a":1,"a":2})", R"({"a":1,"b":2,"a":1})", R"([[{"x":{"system_key":"A","system_key":"B"}}]])",
        R"({"system_key":"A","system\u005fkey":"B"})", R"({"a":{"b":1},"a":{"c":1}})", R"({"":1,"":1})",
        R"([{"a":1},{"b":[{"a":1,"a":{}}]}])"}) {
    const auto refusal = refused(text);
    EXPECT_EQ(refusal.status, 400);
    EXPECT_EQ(refusal.smell, Smell::duplicate_key) << text;
  }
}

TEST(ExactJson, RefusesWhatFollowsTheValue) {
  for (const auto* text : {"[] []", "[]{}", "{}x", "[],[]", "[]]", "\"a\" \"b\"", "1 2",
                           "[]\n[{\"labels\":{}}]", "{\"a\":\"}\"}{\"a\":1}", "[]\xff"}) {
    EXPECT_EQ(refused(text).smell, Smell::trailing_data) << text;
  }
}

TEST(ExactJson, OtherMistakesAreOnlyMistakes) {
  for (const auto* text : {"", "  ", "{", "[1,]", "{a:1}", "\"\\ud800\"", "\"\\u0000\"", "\"\xff\"", "tru",
                           "[1 2]", "\xef\xbb\xbf[]", "'a'", "NaN", "{\"a\":1,}", "]["}) {
    EXPECT_EQ(refused(text).smell, Smell::none) << text;
  }
  EXPECT_THAT(refused("[1,\n!]").message, HasSubstr("line 2"));
  EXPECT_EQ(refused(std::string(600, '[')).smell, Smell::none);
}

}  // namespace
}  // namespace collect::alertmanager
