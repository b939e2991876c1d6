// SPDX-License-Identifier: Apache-2.0
#include "fleet/appliance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.h"

namespace collect::fleet {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

// A blank of fleet::Form that nobody filled in. (Processors have an "@ 2.10GHz".)
bool has_open_blank(const std::string& text) {
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != ' ') return true;
  }
  return false;
}

class ApplianceTest : public testing::TestWithParam<Kind> {
 protected:
  static constexpr double kAlways = 1.0;
  static constexpr double kNever = 0.0;
};

INSTANTIATE_TEST_SUITE_P(Kinds, ApplianceTest, testing::Values(Kind::ns8, Kind::nsec),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(ApplianceTest, TellsTheSameStoryForTheSameSeed) {
  Appliance one({.kind = GetParam(), .seed = 7, .event_probability = 0.5});
  Appliance other({.kind = GetParam(), .seed = 7, .event_probability = 0.5});
  Appliance stranger({.kind = GetParam(), .seed = 8, .event_probability = 0.5});
  const auto begin = one.first().json;
  EXPECT_EQ(begin, other.first().json);
  EXPECT_NE(begin, stranger.first().json);
  for (int i = 0; i < 50; ++i) {
    const auto& a = one.next();
    const auto& b = other.next();
    ASSERT_EQ(a.json, b.json);
    ASSERT_EQ(a.event.has_value(), b.event.has_value());
    if (a.event) {
      EXPECT_EQ(a.event->words, b.event->words);
    }
  }
}

TEST_P(ApplianceTest, SendsValidJsonThatNeverRepeats) {
  Appliance appliance({.kind = GetParam(), .seed = 3, .event_probability = 0.7});
  std::set<std::string> seen{appliance.first().json};
  for (int i = 0; i < 500; ++i) {
    const auto& report = appliance.next();
    const auto checked = json::check(report.json);
    ASSERT_TRUE(checked.ok()) << checked.failure().message << "\n" << report.json;
    EXPECT_FALSE(has_open_blank(report.json)) << report.json;
    EXPECT_TRUE(seen.insert(report.json).second) << "report " << i << " was sent before";
  }
}

TEST_P(ApplianceTest, HasTheSizeAskedForAndKeepsIt) {
  for (const std::size_t size : {10'000U, 30'000U, 60'000U, 125'000U}) {
    Appliance appliance({.kind = GetParam(), .seed = 11, .size_bytes = size, .event_probability = kAlways});
    EXPECT_THAT(appliance.first().json.size(), AllOf(Ge(size), Le(size + 5'000)));
    for (int i = 0; i < 1'000; ++i) appliance.next();
    // A node more or less, at the most.
    EXPECT_THAT(appliance.next().json.size(), AllOf(Ge(size / 2), Le(size * 17 / 10 + 5'000)));
  }
}

TEST_P(ApplianceTest, SomethingHappensAsOftenAsAskedFor) {
  Appliance quiet({.kind = GetParam(), .event_probability = kNever});
  Appliance busy({.kind = GetParam(), .event_probability = kAlways});
  EXPECT_FALSE(busy.first().event.has_value());
  std::set<std::string> leaves;
  for (int i = 0; i < 500; ++i) {
    EXPECT_FALSE(quiet.next().event.has_value());
    const auto& report = busy.next();
    ASSERT_TRUE(report.event.has_value());
    EXPECT_FALSE(report.event->words.empty());
    ASSERT_FALSE(report.event->changes.empty());
    for (const auto& change : report.event->changes)
      leaves.insert(change.path.substr(change.path.rfind('.')));
  }
  EXPECT_THAT(leaves.size(), Ge(12U));
}

}  // namespace
}  // namespace collect::fleet
