// SPDX-License-Identifier: Apache-2.0
// The commands of docs/api.md, run as they are written.
#include <gmock/gmock.h>

#include "journey/appliance.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

using testing::HasSubstr;

constexpr const char* kToken = "operator-token-of-the-api-doc-test-01";

// All blocks of that language, one after the other.
std::string blocks(const std::string& document, const std::string& language) {
  std::string all;
  const std::string fence = "```" + language + "\n";
  for (auto at = document.find(fence); at != std::string::npos; at = document.find(fence, at)) {
    at += fence.size();
    all += document.substr(at, document.find("```", at) - at);
  }
  return all;
}

class ApiDocument : public OnEachEngine {};
COLLECT_ON_EACH_ENGINE(ApiDocument);

TEST_P(ApiDocument, ItsCommandsWork) {
  RunningService service(GetParam(), {{"OPERATOR_TOKEN", kToken}});
  Appliance box(service, service.new_system("Office"));
  box.report(R"({"os":{"name":"TestOS"}})");
  box.report(R"({"os":{"name":"NewOS"}})");

  std::string script = blocks(read_text(std::filesystem::path(COLLECT_SOURCE_DIR) / "docs/api.md"), "sh");
  const std::string address = "127.0.0.1:8081";
  ASSERT_THAT(script, HasSubstr(address));
  script.replace(script.find(address), address.size(), "127.0.0.1:" + std::to_string(service.port()));
  const TempDir folder;
  const auto ran = run({.command = {"bash", "-euo", "pipefail", "-c", script},
                        .environment = {{"OPERATOR_TOKEN", kToken}, {"SYSTEM_KEY", box.login().key}},
                        .directory = folder.path()});
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\"name\":\"Office\""));
  EXPECT_THAT(ran.out, HasSubstr("\"change_count\":1"));
  EXPECT_THAT(ran.out, HasSubstr("\"current_value\":\"NewOS\""));
  EXPECT_THAT(ran.out, testing::EndsWith("304\n"));
  EXPECT_THAT(read_text(folder.path() / "changes.csv"), HasSubstr(",os.name,"));
  EXPECT_THAT(read_text(folder.path() / "changes.ndjson"), HasSubstr("\"previous_value\":\"TestOS\""));
  EXPECT_THAT(read_text(folder.path() / "systems.csv"), HasSubstr(",Office,"));
}

}  // namespace
}  // namespace collect::test
