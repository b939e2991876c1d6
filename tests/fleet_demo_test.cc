// SPDX-License-Identifier: Apache-2.0
// `collect demo` as a person starts it: from a reader's point of view the shortest proof that the whole
// works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "support/process.h"

namespace collect::test {
namespace {

using testing::HasSubstr;

// Settings of the machine must not matter to it: these would keep a service from starting.
const std::map<std::string, std::string> kForeignSettings{{"DATABASE_URL", "postgresql://127.0.0.1:1/none"},
                                                          {"COLLECT_CONFIG", "/nonexistent/config.yml"}};

ProcessResult demo(const std::filesystem::path& folder, std::vector<std::string> options) {
  std::vector<std::string> command{collect_binary().string(), "demo", "--seconds", "7"};
  command.insert(command.end(), options.begin(), options.end());
  auto environment = kForeignSettings;
  environment["TMPDIR"] = folder.string();
  return run({.command = command, .environment = environment, .inherit_environment = false},
             std::chrono::seconds(120));
}

TEST(FleetDemoTest, FindsEverythingThatHappenedAndLeavesNothingBehind) {
  const TempDir folder;
  const auto result = demo(folder.path(), {"--systems", "12", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  const auto document = json::Document::parse(result.out);
  ASSERT_TRUE(document.ok()) << result.out;
  const auto number = [&](std::string_view name) {
    const auto* value = document->root().find(name);
    return value == nullptr ? -1 : json::to_int64(value->text).value_or(-1);
  };
  EXPECT_GT(number("events"), 0);
  EXPECT_EQ(number("events_found"), number("events"));
  EXPECT_EQ(number("changes_found"), number("changes_expected"));
  EXPECT_EQ(number("records_compared"), number("reports_accepted"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FleetDemoTest, TellsPeopleAndKeepsTheFolderWhenAsked) {
  const TempDir folder;
  const auto result = demo(folder.path(), {"--keep"});
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("All of them were found, and nothing else."));
  EXPECT_THAT(result.out, HasSubstr("collect inventory timeline"));
  EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace collect::test
