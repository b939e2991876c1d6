// SPDX-License-Identifier: Apache-2.0
// /metrics: numbers that add up, and what contrib/ makes of them.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

#include "journey/appliance.h"
#include "support/http_client.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

const std::filesystem::path kRoot = COLLECT_SOURCE_DIR;

class Metrics : public OnEachEngine {
 protected:
  struct Sum {
    double accepted, stored, unchanged, dead, pending;
    [[nodiscard]] bool adds_up() const { return accepted == stored + unchanged + dead + pending; }
  };
  static Sum sum(const Service& service) {
    const auto outcome = [&](const std::string& word) {
      return service.metric("collect_inventories_total", {"outcome=\"" + word + "\""});
    };
    return {outcome("accepted"), outcome("stored"), outcome("unchanged"), outcome("dead"),
            service.metric("collect_inventories_pending")};
  }
};
COLLECT_ON_EACH_ENGINE(Metrics);

TEST_P(Metrics, AcceptedIsStoredUnchangedDeadAndPending) {
  RunningService service(GetParam(), {{"QUEUE_RETRY_ATTEMPTS", "2"}, {"QUEUE_RETRY_DELAY", "20s"}});
  Appliance box(service, service.new_system());
  std::vector<std::string> receipts;
  for (int i = 0; i < 5; ++i) receipts.push_back(box.accept(labelled_inventory(std::to_string(i))));
  box.wait_processed(receipts);
  for (int i = 0; i < 3; ++i) box.accept(labelled_inventory("4"));
  HttpClient client(service.port());
  client.basic_auth(box.login().key, box.login().secret);
  EXPECT_EQ(client.post("/api/systems/inventory", "[]").status, 400);

  // Logged in, then gone: its inventory is accepted and cannot be stored. The embedded engine forgets log-ins
  // within a second after a system was made: not that of this one, or there is another.
  bool accepted = false;
  for (int i = 0; i < 20 && !accepted; ++i) {
    const Login gone = service.new_system("Gone " + std::to_string(i));
    sleep_for(milliseconds(1500));
    client.basic_auth(gone.key, gone.secret);
    EXPECT_EQ(client.get("/api/systems/info").status, 200);
    service.sql("DELETE FROM systems WHERE id = '" + gone.id + "'");  // log-ins hear nothing of it
    accepted = client.post("/api/systems/inventory", labelled_inventory("ghost")).status == 202;
  }
  EXPECT_TRUE(eventually([&] {
    const Sum now = sum(service);
    return now.accepted == 9 && now.pending == 1 && now.dead == 0 && now.adds_up();
  })) << "it waits for its second attempt";
  EXPECT_TRUE(eventually(
      [&] {
        const Sum now = sum(service);
        return now.stored == 5 && now.unchanged == 3 && now.dead == 1 && now.pending == 0 && now.adds_up();
      },
      std::chrono::seconds(120)))
      << HttpClient(service.port()).get("/metrics").body;
  EXPECT_EQ(service.metric("collect_inventories_refused_total", {"reason=\"bad\""}), 1);
}

TEST(MetricsOfWorkers, AreServedWhereTheyAreAskedFor) {
  Service api(EngineKind::servers);
  api.start({"--role", "api"});
  EXPECT_EQ(api.metric("collect_worker_messages_total"), 0);
  Appliance box(api, api.new_system());
  const int port = free_port();
  api.settings()["METRICS_ADDRESS"] = "127.0.0.1:" + std::to_string(port);
  const auto worker = api.launch({"serve", "--role", "worker"});
  box.report(labelled_inventory("a"));
  const std::string stored = "collect_inventories_total{outcome=\"stored\"} 1\n";
  EXPECT_TRUE(eventually([&] {
    try {
      return HttpClient(port).get("/metrics").body.find(stored) != std::string::npos;
    } catch (const std::runtime_error&) {
      return false;  // it does not listen yet
    }
  }));
  EXPECT_EQ(worker->stop(), 0) << worker->err();
}

TEST_P(Metrics, EachStageTellsHowLongItTook) {
  RunningService service(GetParam());
  Appliance box(service, service.new_system());
  for (const char* label : {"a", "b", "c"}) box.report(labelled_inventory(label));
  EXPECT_TRUE(eventually([&] { return service.queues_empty(); }));
  EXPECT_EQ(service.metric("collect_inventory_accept_seconds_count"), 3);
  const auto of = [&](const std::string& name, const std::string& stage) {
    return service.metric(name, {"stage=\"" + stage + "\""});
  };
  EXPECT_TRUE(eventually([&] { return of("collect_stage_seconds_count", "notification") == 2; }));
  EXPECT_EQ(of("collect_stage_seconds_count", "inventory"), 3);
  EXPECT_EQ(of("collect_stage_seconds_count", "processing"), 3);
  for (const char* stage : {"inventory", "processing", "notification"}) {
    EXPECT_GT(of("collect_batch_seconds_count", stage), 0) << stage;
    EXPECT_GT(of("collect_stage_seconds_sum", stage), 0) << stage;
    EXPECT_EQ(
        service.metric("collect_stage_seconds_bucket", {"le=\"+Inf\"", std::string("stage=\"") + stage}),
        of("collect_stage_seconds_count", stage));
  }
}

TEST_P(Metrics, EveryNameInContribIsThere) {
  RunningService service(GetParam());
  Appliance box(service, service.new_system());
  box.report(labelled_inventory("a"));
  const std::string page = HttpClient(service.port()).get("/metrics").body;
  std::set<std::string> there;
  const std::regex type("# TYPE (collect_[a-z0-9_]+) ([a-z]+)");
  for (std::sregex_iterator match(page.begin(), page.end(), type), end; match != end; ++match) {
    const std::string name = (*match)[1];
    if ((*match)[2] == "histogram") {
      for (const char* part : {"", "_bucket", "_count", "_sum"}) there.insert(name + part);
    } else {
      there.insert(name);
    }
  }
  for (const char* file : {"contrib/prometheus/collect.rules.yml", "contrib/prometheus/collect_test.yml",
                           "contrib/grafana/collect.json", "docs/metrics.md"}) {
    const std::string text = read_text(kRoot / file);
    const std::regex name("\\bcollect_[a-z0-9_]+\\b(?!\\.yml)");
    std::size_t found = 0;
    for (std::sregex_iterator match(text.begin(), text.end(), name), end; match != end; ++match, ++found) {
      if (match->str() == "collect_test") continue;  // the file
      EXPECT_TRUE(there.contains(match->str())) << file << " has " << match->str();
    }
    EXPECT_GT(found, 5U) << file;
  }
}

TEST_P(Metrics, ThePageIsAsPrometheusWantsIt) {
  RunningService service(GetParam());
  Appliance box(service, service.new_system());
  box.report(labelled_inventory("a"));
  const auto page = HttpClient(service.port()).get("/metrics").body;
  const auto file = service.folder() / "page";
  std::ofstream(file) << page;
  const auto checked = run({.command = {"/bin/sh", "-c", "promtool check metrics < \"$0\"", file}});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

TEST(Contrib, AlertRulesAreValidAndFireWhenTheyShould) {
  const auto folder = kRoot / "contrib/prometheus";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"check", "rules", "collect.rules.yml"},
        {"test", "rules", "collect_test.yml"}}) {
    std::vector<std::string> command = {"/usr/bin/promtool"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto checked = run({.command = command, .directory = folder}, std::chrono::minutes(2));
    EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  }
}

// What the dashboard asks is put through the parser that Prometheus has for rules.
TEST(Contrib, TheDashboardAsksWhatPrometheusUnderstands) {
  const auto dashboard = parsed(read_text(kRoot / "contrib/grafana/collect.json"));
  std::string rules = "groups:\n- name: dashboard\n  rules:\n";
  int asked = 0;
  for (const json::Value& panel : dashboard.root().find("panels")->elements) {
    const json::Value* targets = panel.find("targets");
    if (targets == nullptr) continue;
    for (const json::Value& target : targets->elements) {
      std::string expression = text_of(target, "expr");
      for (auto [variable, value] : {std::pair{"$__rate_interval", "1m"}, {"$instance", ".*"}}) {
        for (std::size_t at = 0; (at = expression.find(variable)) != std::string::npos;) {
          expression.replace(at, std::string_view(variable).size(), value);
        }
      }
      rules += "  - {record: 'asked:" + std::to_string(++asked) + "', expr: '" + expression + "'}\n";
    }
  }
  EXPECT_GT(asked, 30);
  const TempDir folder;
  std::ofstream(folder.path() / "rules.yml") << rules;
  const auto checked = run({.command = {"/usr/bin/promtool", "check", "rules", folder.path() / "rules.yml"}});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

}  // namespace
}  // namespace collect::test
