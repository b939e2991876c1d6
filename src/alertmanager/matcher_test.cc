// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::alertmanager {
namespace {

using testing::ElementsAre;

Matcher one(std::string_view text) {
  const auto matchers = parse_filter(text);
  EXPECT_TRUE(matchers.ok()) << text << (matchers ? "" : ": " + matchers.failure().message);
  if (!matchers || matchers->size() != 1) return {};
  return matchers->front();
}

TEST(Filter, IsReadAsAlertmanagerReadsIt) {
  EXPECT_EQ(one(R"(a="b")"), (Matcher{"a", "b", false, true}));
  EXPECT_EQ(one(R"( a != "b" )"), (Matcher{"a", "b", false, false}));
  EXPECT_EQ(one(R"(a=~"b|c.*")"), (Matcher{"a", "b|c.*", true, true}));
  EXPECT_EQ(one(R"(a!~b)"), (Matcher{"a", "b", true, false}));
  EXPECT_EQ(one("a=b c"), (Matcher{"a", "b c", false, true}));
  EXPECT_EQ(one("a="), (Matcher{"a", "", false, true}));
  EXPECT_EQ(one(R"(a="")"), (Matcher{"a", "", false, true}));
  EXPECT_EQ(one(R"(a="x\"y\\z\nq\d")"), (Matcher{"a", "x\"y\\z\nq\\d", false, true}));
  EXPECT_EQ(one("a=b,system_key=~.*"), (Matcher{"a", "b,system_key=~.*", false, true}));
  EXPECT_EQ(one("_x9=\xc3\xa8"), (Matcher{"_x9", "\xc3\xa8", false, true}));
}

TEST(Filter, ListsAreTakenApart) {
  const auto matchers = parse_filter(R"({a="b,}", system_key=~".*" ,c!=d})");
  ASSERT_TRUE(matchers.ok()) << matchers.failure().message;
  EXPECT_THAT(*matchers,
              ElementsAre(Matcher{"a", "b,}", false, true}, Matcher{"system_key", ".*", true, true},
                          Matcher{"c", "d", false, false}));
  EXPECT_EQ(parse_filter(R"({a="b",})")->size(), 1U);
}

TEST(Filter, WhatCouldBeReadInAnotherWayIsRefused) {
  for (const std::string text : {"",
                                 "{}",
                                 "{",
                                 "a",
                                 "=b",
                                 "a b",
                                 R"(a="b)",
                                 R"(a=b")",
                                 R"(a=b"c)",
                                 R"(a="b" c="d")",
                                 R"(a="b",c="d")",
                                 R"({a="b")",
                                 R"({a="b"} x)",
                                 R"({a="b"}{c="d"})",
                                 R"("system_key"="b")",
                                 "1a=b",
                                 "a-b=c",
                                 "a=~[",
                                 R"({a="b",,c="d"})",
                                 "a==b\xff",
                                 "a:b=c",
                                 R"(a="b\")",
                                 R"({,a="b"})"}) {
    EXPECT_FALSE(parse_filter(text).ok()) << text;
  }
  EXPECT_FALSE(parse_filter(std::string_view("a=\0b", 4)).ok());
}

TEST(Filter, SaysWhatIsWrong) {
  const auto said = [](std::string_view text) { return parse_filter(text).failure().message; };
  EXPECT_EQ(
      said(R"(a="b"c)"),
      R"(filter: expected one matcher like name="value", or several as {a="b",c="d"}, got something after it)");
  EXPECT_EQ(said(R"({a="b"} x)"), said(R"(a="b"c)"));
  EXPECT_EQ(said(R"({a="b" c="d"})"),
            R"(filter: expected a matcher like name="value": ',' or '}' is missing)");
  EXPECT_EQ(said("a"), R"(filter: expected a matcher like name="value": one of = != =~ !~ is missing)");
}

TEST(Filter, WrittenAndReadItIsTheSame) {
  for (const std::string value : {"", "plain", "a\"b", "\\", "\\\\\"", "line\nbreak", "{a=\"b\"},",
                                  " spaced ", "\\n", "\xe2\x82\xac\t\r"}) {
    for (const bool is_regex : {false, true}) {
      for (const bool is_equal : {false, true}) {
        const Matcher matcher{"name", value, is_regex, is_equal};
        if (!check_matcher(matcher, "")) continue;  // a lone backslash is no regular expression
        EXPECT_EQ(one(to_filter(matcher)), matcher) << to_filter(matcher);
      }
    }
  }
  EXPECT_EQ(to_filter(matcher_of("NETH-\"\\")), R"(system_key="NETH-\"\\")");
}

}  // namespace
}  // namespace collect::alertmanager
