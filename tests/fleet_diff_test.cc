// SPDX-License-Identifier: Apache-2.0
// What simulated appliances say about themselves is what the differ finds with the built-in rules: neither
// more nor less, over long stories of both kinds. The demo and the load rest on it, and the differ is held to
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "diff/differ.h"
#include "fleet/appliance.h"

namespace collect {
namespace {

using fleet::Kind;
using testing::UnorderedElementsAreArray;

std::string spelled(std::string_view type, std::string_view path) {
  return std::string(type) + " " + std::string(path);
}

std::vector<std::string> expected(const fleet::Report& report) {
  std::vector<std::string> all;
  if (!report.event) return all;
  for (const auto& change : report.event->changes) all.push_back(spelled(change.type, change.path));
  return all;
}

void follow(Kind kind, std::uint64_t seed, std::size_t size_bytes, int reports) {
  const auto rules = diff::Rules::builtin();
  fleet::Appliance appliance(
      {.kind = kind, .seed = seed, .size_bytes = size_bytes, .event_probability = 0.7});
  auto previous = json::Document::parse(appliance.first().json);
  ASSERT_TRUE(previous.ok());
  std::string held;
  for (int i = 0; i < reports; ++i) {
    const auto& report = appliance.next();
    auto current = json::Document::parse(report.json);
    ASSERT_TRUE(current.ok());
    const auto comparison =
        diff::compare(rules, {.previous = previous->root(), .current = current->root(), .held = held});
    std::vector<std::string> found;
    for (const auto& change : comparison.changes) {
      if (change.significant) found.push_back(spelled(to_string(change.type), change.field_path));
    }
    EXPECT_THAT(found, UnorderedElementsAreArray(expected(report)))
        << "report " << i << " of " << to_string(kind) << " " << seed << ": "
        << (report.event ? report.event->words : "nothing");
    held = comparison.held;
    EXPECT_EQ(held, "");
    previous = std::move(current);
  }
}

TEST(FleetDiffTest, EveryEventOfAClusterIsFoundAndNothingElse) {
  follow(Kind::ns8, 1, 9'000, 300);
  follow(Kind::ns8, 2, 30'000, 300);
  follow(Kind::ns8, 3, 70'000, 100);
}

TEST(FleetDiffTest, EveryEventOfAFirewallIsFoundAndNothingElse) {
  follow(Kind::nsec, 1, 7'000, 300);
  follow(Kind::nsec, 2, 30'000, 300);
  follow(Kind::nsec, 3, 70'000, 100);
}

}  // namespace
}  // namespace collect
