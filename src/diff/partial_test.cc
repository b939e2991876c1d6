// SPDX-License-Identifier: Apache-2.0
#include "diff/partial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diff/differ.h"

namespace collect::diff {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Reports of one system, one after the other.
class Reports {
 public:
  explicit Reports(const std::string& first, Partial partial = Partial::hold)
      : partial_(partial), previous_(*json::Document::parse(first)) {}

  std::vector<std::string> then(const std::string& text) {
    auto current = *json::Document::parse(text);
    auto comparison = compare(
        rules_,
        {.previous = previous_.root(), .current = current.root(), .held = held_, .partial = partial_});
    std::vector<std::string> told;
    for (const auto& change : comparison.changes) {
      told.push_back(std::string(to_string(change.type)) + " " + change.field_path + " " +
                     change.previous_value.value_or("") + ">" + change.current_value.value_or(""));
    }
    held_ = comparison.held;
    previous_ = std::move(current);
    return told;
  }
  [[nodiscard]] const std::string& held() const { return held_; }

 private:
  Rules rules_ = Rules::builtin();
  Partial partial_;
  json::Document previous_;
  std::string held_;
};

const std::string kWhole = R"({"facts":{"cluster":{"a":1,"b":{"c":2}},"x":1}})";

TEST(Partial, MissingNullAndEmptyAreHeld) {
  for (const std::string missing :
       {R"({"facts":{"x":1}})", R"({"facts":{"x":1,"cluster":null}})", R"({"facts":{"x":1,"cluster":{}}})",
        R"({"facts":{"x":1,"cluster":[]}})"}) {
    Reports reports(kWhole);
    EXPECT_THAT(reports.then(missing), IsEmpty()) << missing;
    EXPECT_NE(reports.held(), "");
    EXPECT_THAT(reports.then(kWhole), IsEmpty()) << missing;
    EXPECT_EQ(reports.held(), "");
  }
}

TEST(Partial, ASecondReportConfirms) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"facts":{"x":1,"cluster":null}})"), IsEmpty());
  EXPECT_THAT(reports.then(R"({"facts":{"x":2,"cluster":null}})"),
              ElementsAre(R"(update facts.cluster {"a":1,"b":{"c":2}}>null)", "update facts.x 1>2"));
  EXPECT_THAT(reports.then(R"({"facts":{"x":3,"cluster":null}})"), ElementsAre("update facts.x 2>3"));
  EXPECT_THAT(reports.then(kWhole),
              ElementsAre(R"(update facts.cluster null>{"a":1,"b":{"c":2}})", "update facts.x 3>1"));
}

TEST(Partial, TheFormOfWhatIsMissingMayChange) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"facts":{"x":1,"cluster":null}})"), IsEmpty());
  EXPECT_THAT(reports.then(R"({"facts":{"x":1}})"),
              ElementsAre(R"(delete facts.cluster {"a":1,"b":{"c":2}}>)"));
}

TEST(Partial, WhatComesBackIsComparedWithWhatWasHeld) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"facts":{"x":2}})"), ElementsAre("update facts.x 1>2"));
  EXPECT_THAT(reports.then(R"({"facts":{"x":2,"cluster":{"a":1,"b":{"c":3}}}})"),
              ElementsAre("update facts.cluster.b.c 2>3"));
}

TEST(Partial, OtherValuesAreNoAbsence) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"facts":{"x":1,"cluster":"none"}})"),
              ElementsAre(R"(update facts.cluster {"a":1,"b":{"c":2}}>"none")"));
}

TEST(Partial, WithoutItsParentNothingIsHeld) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"other":1})"),
              ElementsAre(R"(delete facts {"cluster":{"a":1,"b":{"c":2}},"x":1}>)", "create other >1"));
}

TEST(Partial, AParentThatGoesTakesWhatIsHeldAlong) {
  Reports reports(kWhole);
  EXPECT_THAT(reports.then(R"({"facts":{"x":1}})"), IsEmpty());
  EXPECT_THAT(reports.then(R"({"facts":null})"),
              ElementsAre(R"(update facts {"cluster":{"a":1,"b":{"c":2}},"x":1}>null)"));
  EXPECT_EQ(reports.held(), "");
}

TEST(Partial, AFirstReportThatLacksAPartHoldsNothing) {
  Reports reports(R"({"facts":{"x":1,"cluster":null}})");
  EXPECT_THAT(reports.then(R"({"facts":{"x":1}})"), ElementsAre("delete facts.cluster null>"));
  EXPECT_EQ(reports.held(), "");
}

std::string module(const std::string& rest) {
  return R"({"facts":{"modules":[{"id":"n1"},{"id":"m1")" + rest + "}]}}";
}

TEST(Partial, AModuleKeepsItsFactsAndItsNames) {
  Reports reports(module(R"(,"version":"1","fqdns":["a"],"users":5)"));
  EXPECT_THAT(reports.then(module(R"(,"version":"2","fqdns":[])")),
              ElementsAre(R"(update facts.modules.m1.version "1">"2")"));
  EXPECT_THAT(reports.then(module(R"(,"version":"2","fqdns":[],"users":6)")),
              ElementsAre(R"(update facts.modules.m1.fqdns ["a"]>[])", "update facts.modules.m1.users 5>6"));
  EXPECT_EQ(reports.held(), "");
}

TEST(Partial, SomeFactsOfAModuleMayGo) {
  Reports reports(module(R"(,"users":5,"groups":2)"));
  EXPECT_THAT(reports.then(module(R"(,"users":5)")), ElementsAre("delete facts.modules.m1.groups 2>"));
  EXPECT_EQ(reports.held(), "");
}

TEST(Partial, WithoutANextReportItIsToldAtOnce) {
  Reports reports(kWhole, Partial::report);
  EXPECT_THAT(reports.then(R"({"facts":{"x":1,"cluster":null}})"),
              ElementsAre(R"(update facts.cluster {"a":1,"b":{"c":2}}>null)"));
  EXPECT_EQ(reports.held(), "");
}

TEST(Partial, UnreadableHeldTextHoldsNothing) {
  const auto rules = Rules::builtin();
  const auto document = *json::Document::parse(kWhole);
  for (const char* held :
       {"{", "[]", "7", R"([{"path":[]},{"path":["facts"]},{"value":1}])",
        R"([{"path":["facts","x","y"],"value":1}])", R"([{"path":["nothing","here"],"members":{}}])"}) {
    EXPECT_THAT(
        compare(rules, {.previous = document.root(), .current = document.root(), .held = held}).changes,
        IsEmpty())
        << held;
  }
}

}  // namespace
}  // namespace collect::diff
