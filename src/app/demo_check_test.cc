// SPDX-License-Identifier: Apache-2.0
#include "app/demo_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

inventory::Diff diff(std::string type, std::string path) {
  inventory::Diff made;
  made.diff_type = std::move(type);
  made.field_path = std::move(path);
  return made;
}

const std::vector<fleet::Event> kEvents{
    {"Mail 1 → 2", {{"facts.modules.mail1.version", "update"}}},
    {"node 2 left", {{"facts.nodes.2", "delete"}, {"facts.modules.x", "delete"}}},
    {"Mail 2 → 3", {{"facts.modules.mail1.version", "update"}}}};

TEST(DemoCheckTest, AllFound) {
  const std::vector<inventory::Diff> diffs{diff("update", "facts.modules.mail1.version"),
                                           diff("delete", "facts.nodes.2"), diff("delete", "facts.modules.x"),
                                           diff("update", "facts.modules.mail1.version")};
  const auto result = check(kEvents, diffs);
  EXPECT_EQ(result.events_found, 3U);
  EXPECT_EQ(result.changes_expected, 4U);
  EXPECT_THAT(result.missing, IsEmpty());
  EXPECT_THAT(result.unexpected, IsEmpty());
}

TEST(DemoCheckTest, OneFoundOnceIsNotFoundTwiceAndNothingIsInvented) {
  const std::vector<inventory::Diff> diffs{diff("update", "facts.modules.mail1.version"),
                                           diff("delete", "facts.modules.x"),
                                           diff("create", "facts.nodes.2")};
  const auto result = check(kEvents, diffs);
  EXPECT_EQ(result.events_found, 1U);
  EXPECT_THAT(result.missing, ElementsAre("node 2 left: delete facts.nodes.2",
                                          "Mail 2 → 3: update facts.modules.mail1.version"));
  EXPECT_THAT(result.unexpected, ElementsAre("create facts.nodes.2"));
}

}  // namespace
}  // namespace collect::app
