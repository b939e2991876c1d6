// SPDX-License-Identifier: Apache-2.0
// The first minutes with Collect, as the README tells them: report, report a change, look.
#include <gmock/gmock.h>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

constexpr std::string_view kFirst =
    R"({"system_id": "test", "timestamp": "2025-07-13T10:00:00Z", "data": {"os": {"name": "TestOS"}}})";
constexpr std::string_view kNext =
    R"({"system_id": "test", "timestamp": "2025-07-13T10:05:00Z", "data": {"os": {"name": "NewOS"}}})";

class FirstSteps : public OnEachEngine {
 protected:
  RunningService service_{GetParam()};
  Appliance box_{service_, service_.new_system("First box")};
};
COLLECT_ON_EACH_ENGINE(FirstSteps);

TEST_P(FirstSteps, AnInventoryIsAcceptedWithExactlyThePromisedFields) {
  const auto answer = box_.post(kFirst);
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_THAT(answer.header("Content-Type"), HasSubstr("application/json"));
  const auto envelope = parsed(answer.body);
  EXPECT_THAT(keys_of(envelope.root()), ElementsAre("code", "data", "message"));
  EXPECT_EQ(text_of(envelope.root(), "code"), "202");
  const auto& data = *envelope.root().find("data");
  EXPECT_THAT(keys_of(data), UnorderedElementsAre("receipt", "system_id", "system_key", "timestamp",
                                                  "data_size", "queue_status", "message"));
  EXPECT_EQ(text_of(data, "system_id"), box_.login().id);
  EXPECT_EQ(text_of(data, "system_key"), box_.login().key);
  EXPECT_EQ(text_of(data, "queue_status"), "queued");
  EXPECT_THAT(text_of(data, "timestamp"), MatchesRegex("20[0-9-]+T[0-9:.]+Z"));
  EXPECT_EQ(text_of(data, "data_size"), std::to_string(std::string(R"({"os": {"name": "TestOS"}})").size()));
}

TEST_P(FirstSteps, AReceiptTellsWhatBecameOfIt) {
  const std::string first = box_.accept(kFirst);
  EXPECT_THAT(box_.receipt(first).status, testing::AnyOf("queued", "stored"));
  box_.wait_processed({first});
  EXPECT_EQ(box_.receipt(first).status, "stored");
  EXPECT_EQ(box_.receipt(first).change_count, "0");

  const std::string again = box_.report(kFirst);
  EXPECT_EQ(box_.receipt(again).status, "unchanged");
  EXPECT_EQ(box_.receipt(again).record_id, box_.receipt(first).record_id);

  const std::string next = box_.report(kNext);
  EXPECT_EQ(box_.receipt(next).status, "stored");
  EXPECT_EQ(box_.receipt(next).change_count, "1");
  EXPECT_EQ(box_.receipt(next).reason, "null");
  const auto answer = box_.http().get("/api/systems/inventory/receipts/" + next);
  EXPECT_THAT(keys_of(*parsed(answer.body).root().find("data")),
              UnorderedElementsAre("receipt", "status", "processed", "record_id", "change_count", "reason",
                                   "received_at"));
}

TEST_P(FirstSteps, ReceiptsAreOnlyForTheirOwner) {
  const std::string receipt = box_.report(kFirst);
  Appliance other(service_, service_.new_system("Another box"));
  EXPECT_EQ(other.http().get("/api/systems/inventory/receipts/" + receipt).status, 404);
  EXPECT_EQ(box_.http().get("/api/systems/inventory/receipts/8f2b1d10-0000-4000-8000-000000000000").status,
            404);
  EXPECT_EQ(box_.http().get("/api/systems/inventory/receipts/none").status, 400);
}

TEST_P(FirstSteps, TheOperatorSeesWhatChanged) {
  box_.report(kFirst);
  box_.report(kNext);
  const auto& key = box_.login().key;

  const auto diffs = parsed(service_.cli_output({"inventory", "diffs", key, "--json"}));
  ASSERT_EQ(diffs.root().elements.size(), 1U);
  const auto& diff = diffs.root().elements.front();
  EXPECT_THAT(keys_of(diff),
              UnorderedElementsAre("id", "previous_id", "current_id", "diff_type", "field_path", "category",
                                   "severity", "previous_value", "current_value", "created_at"));
  EXPECT_EQ(text_of(diff, "diff_type"), "update");
  EXPECT_EQ(text_of(diff, "field_path"), "os.name");
  EXPECT_EQ(text_of(diff, "previous_value"), "TestOS");
  EXPECT_EQ(text_of(diff, "current_value"), "NewOS");

  const auto records = service_.history(box_.login());
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(std::to_string(records[0].id), text_of(diff, "previous_id"));
  EXPECT_EQ(std::to_string(records[1].id), text_of(diff, "current_id"));
  EXPECT_LT(records[0].timestamp, records[1].timestamp);

  const auto latest = parsed(service_.cli_output({"inventory", "latest", key, "--json"}));
  EXPECT_EQ(latest.root().at({"data", "os", "name"})->text, "NewOS");
  EXPECT_THAT(text_of(latest.root(), "sender_timestamp"), HasSubstr("2025-07-13T10:05:00"));

  EXPECT_THAT(service_.cli_output({"inventory", "timeline", key}),
              testing::AllOf(HasSubstr("os.name"), HasSubstr("TestOS → NewOS"), HasSubstr("1 change")));
  EXPECT_THAT(service_.cli_output({"inventory", "diffs", box_.login().id}), HasSubstr("os.name"));
  EXPECT_EQ(service_.cli({"inventory", "diffs", "NETH-0000"}).exit_code, 3);
}

TEST_P(FirstSteps, DiffsAreListedNewestFirst) {
  for (const char* label : {"a", "b", "c", "d"}) box_.report(labelled_inventory(label));
  const auto list =
      parsed(service_.cli_output({"inventory", "diffs", box_.login().key, "--json", "--limit", "2"}));
  ASSERT_EQ(list.root().elements.size(), 2U);
  EXPECT_EQ(text_of(list.root().elements[0], "current_value"), "d");
  EXPECT_EQ(text_of(list.root().elements[1], "current_value"), "c");
}

TEST_P(FirstSteps, AHeartbeatNeedsNoBody) {
  HttpClient raw(service_.port());
  raw.basic_auth(box_.login().key, box_.login().secret);
  const auto answer = raw.request("POST", "/api/systems/heartbeat");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto envelope = parsed(answer.body);
  const auto& data = *envelope.root().find("data");
  EXPECT_THAT(keys_of(data), UnorderedElementsAre("system_key", "acknowledged", "last_heartbeat"));
  EXPECT_EQ(text_of(data, "acknowledged"), "true");
  EXPECT_EQ(raw.post("/api/systems/heartbeat", "no JSON at all").status, 200);

  const auto shown = [&] {
    const auto system = parsed(service_.cli_output({"system", "show", box_.login().key, "--json"}));
    return text_of(system.root(), "last_heartbeat");
  };
  EXPECT_TRUE(eventually([&] { return shown() != "null"; })) << "the heartbeat was not written";
}

TEST_P(FirstSteps, TheSenderMayAskWhatIsKnownOfIt) {
  box_.report(R"({"installation":"nethsecurity","uuid":"1","facts":{"fqdn":"fw.example.org",)"
              R"("distro":{"version":"8.6"},"default_ipv4":"192.0.2.7"}})");
  const auto answer = box_.http().get("/api/systems/info");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto envelope = parsed(answer.body);
  const auto& data = *envelope.root().find("data");
  EXPECT_THAT(keys_of(data),
              UnorderedElementsAre("system_id", "system_key", "name", "type", "fqdn", "status", "suspended",
                                   "suspended_at", "deleted", "deleted_at", "registered", "registered_at",
                                   "created_at", "organization"));
  EXPECT_THAT(keys_of(*data.find("organization")),
              UnorderedElementsAre("id", "logto_id", "name", "type", "suspended", "suspended_at"));
  EXPECT_EQ(text_of(data, "name"), "First box");
  EXPECT_EQ(text_of(data, "type"), "nsec");
  EXPECT_EQ(text_of(data, "fqdn"), "fw.example.org");
  EXPECT_EQ(text_of(data, "registered"), "true");
  EXPECT_EQ(text_of(*data.find("organization"), "name"), "Example Ltd");
  EXPECT_EQ(text_of(*data.find("organization"), "type"), "customer");
}

TEST_P(FirstSteps, HealthAndMetricsAreOpen) {
  HttpClient client(service_.port());
  const auto health = client.get("/api/health");
  ASSERT_EQ(health.status, 200) << health.body;
  EXPECT_EQ(text_of(parsed(health.body).root(), "message"), "service healthy");
  EXPECT_THAT(keys_of(*parsed(health.body).root().find("data")),
              UnorderedElementsAre("version", "commit", "build_time"));
  EXPECT_EQ(client.get("/api/health/live").status, 200);
  EXPECT_EQ(client.get("/api/health/ready").status, 200);

  box_.report(kFirst);
  box_.report(kFirst);
  const auto metrics = client.get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.header("Content-Type"), HasSubstr("text/plain"));
  const auto outcome = [&](const char* name) {
    return service_.metric("collect_inventories_total", {"outcome=\"" + std::string(name) + "\""});
  };
  EXPECT_EQ(outcome("accepted"), 2);
  EXPECT_EQ(outcome("stored"), 1);
  EXPECT_EQ(outcome("unchanged"), 1);
  EXPECT_EQ(outcome("dead"), 0);
}

TEST_P(FirstSteps, WrongPathsAndMethodsGetEnvelopes) {
  HttpClient client(service_.port());
  for (const char* path : {"/api/nothing", "/nothing", "/"}) {
    const auto answer = client.get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(text_of(parsed(answer.body).root(), "message"), "api not found") << path;
    EXPECT_THAT(keys_of(parsed(answer.body).root()), ElementsAre("code", "data", "message")) << path;
  }
  const auto get = box_.http().get("/api/systems/inventory");
  EXPECT_EQ(get.status, 405);
  EXPECT_THAT(get.header("Allow"), HasSubstr("POST"));
  EXPECT_EQ(text_of(parsed(get.body).root(), "code"), "405");
  const auto removed = client.request("DELETE", "/api/health");
  EXPECT_EQ(removed.status, 405);
  EXPECT_THAT(removed.header("Allow"), HasSubstr("GET"));
}

TEST_P(FirstSteps, TheBannerSaysWhatItRunsOn) {
  EXPECT_THAT(service_.banner(), HasSubstr(std::to_string(service_.port())));
  EXPECT_THAT(service_.banner(), HasSubstr("durability"));
  EXPECT_THAT(service_.banner(), HasSubstr("backups     "));
  EXPECT_THAT(service_.banner(), HasSubstr(GetParam() == EngineKind::embedded ? "SQLite" : "PostgreSQL"));
}

}  // namespace
}  // namespace collect::test
