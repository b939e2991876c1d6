// SPDX-License-Identifier: Apache-2.0
// The running server does what config/openapi.yaml says, all of it, and nothing else (check.py).
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "journey/service.h"
#include "support/http_client.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

using testing::HasSubstr;

const std::filesystem::path kRoot = COLLECT_SOURCE_DIR;
constexpr const char* kToken = "operator-token-of-the-api-tests-0001";
constexpr const char* kWebhookSecret = "webhook-secret-of-the-api-tests-0001";

class OpenApi : public OnEachEngine {};
COLLECT_ON_EACH_ENGINE(OpenApi);

TEST_P(OpenApi, TheServerIsAsItsDocumentSays) {
  const int upstream = free_port();
  RunningService service(GetParam(), {{"OPERATOR_TOKEN", kToken},
                                      {"ALERTING_HISTORY_WEBHOOK_SECRET", kWebhookSecret},
                                      {"MIMIR_URL", "http://127.0.0.1:" + std::to_string(upstream)},
                                      {"BACKUP_RATE_LIMIT_PER_MINUTE", "0"},
                                      {"BACKUP_RATE_LIMIT_PER_HOUR", "0"}});
  const Login box = service.new_system("Box");
  const Login other = service.new_system("Other");
  const auto checked = run({.command = {"/usr/bin/python3", (kRoot / "tests/api/check.py").string(),
                                        std::to_string(service.port()), box.key, box.secret, other.key,
                                        other.secret, kToken, kWebhookSecret, std::to_string(upstream)},
                            .environment = {{"PYTHONDONTWRITEBYTECODE", "1"}}},
                           std::chrono::minutes(8));
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  std::cout << checked.out;
}

TEST_P(OpenApi, WithoutATokenTheOperatorsPathsAreNotThere) {
  RunningService service(GetParam());
  HttpClient client(service.port());
  for (const char* authorization : {"", kToken}) {
    client.clear_auth();
    if (*authorization != '\0') client.bearer(authorization);
    for (const char* path :
         {"/api/systems", "/api/systems/x", "/api/systems/x/inventory", "/api/systems/x/inventory/latest",
          "/api/alerts/inventory", "/api/queues", "/api/stats"}) {
      const auto answer = client.get(path);
      EXPECT_EQ(answer.status, 404) << path;
      EXPECT_THAT(answer.body, HasSubstr("api not found")) << path;
    }
  }
  EXPECT_EQ(client.get("/api/openapi.yaml").status, 200);
}

// Paths are literals where routes are added; what is longer than one of them is a path below it.
TEST(OpenApiDocument, NamesEveryPathInTheSources) {
  const std::string document = read_text(kRoot / "config/openapi.yaml");
  std::set<std::string> documented;
  const std::regex key("\n  (/[^:\n]*):");
  for (std::sregex_iterator match(document.begin(), document.end(), key), end; match != end; ++match) {
    documented.insert((*match)[1]);
  }
  EXPECT_GE(documented.size(), 30U);
  const std::regex literal(R"re("(/(?:api|services)/[^"]*|/metrics)")re");
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot / "src")) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".cc" || name.ends_with("_test.cc")) continue;
    if (entry.path().string().find("/fleet/") != std::string::npos) continue;
    const std::string source = read_text(entry.path());
    if (source.find("router") == std::string::npos) continue;
    for (std::sregex_iterator match(source.begin(), source.end(), literal), end; match != end; ++match) {
      const std::string path = (*match)[1];
      ++found;
      const auto at = documented.lower_bound(path);
      EXPECT_TRUE(at != documented.end() && at->starts_with(path)) << name << " has " << path;
    }
  }
  EXPECT_GE(found, 20U);
}

}  // namespace
}  // namespace collect::test
