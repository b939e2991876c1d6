// SPDX-License-Identifier: Apache-2.0
// Two machines of one tenant, the whole service, and a real Alertmanager behind it that posts its webhook
// back.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <fstream>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "journey/appliance.h"
#include "support/http_client.h"
#include "support/process.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kPrefix = "/api/services/mimir/alertmanager/api/v2/";
const std::string kSecret = "0123456789abcdef0123456789abcdef";

std::string from_now(std::chrono::minutes time) {
  return to_rfc3339(SystemClock().now() + time);
}

class AlertmanagerJourney : public OnEachEngine {
 protected:
  void SetUp() override {
    const auto config = folder_.path() / "alertmanager.yml";
    std::ofstream(config)
        << "route: {receiver: collect, group_wait: 0s, group_interval: 1s, group_by: ['...']}\n"
           "receivers:\n- name: collect\n  webhook_configs:\n  - url: http://127.0.0.1:"
        << service_.port() << "/api/alert_history\n    send_resolved: true\n"
        << "    http_config: {authorization: {credentials: " << kSecret << "}}\n";
    server_ = std::make_unique<Process>(
        ProcessOptions{.command = {"prometheus-alertmanager", "--config.file=" + config.string(),
                                   "--storage.path=" + folder_.path().string(), "--cluster.listen-address=",
                                   "--web.listen-address=127.0.0.1:" + std::to_string(alertmanager_port_),
                                   "--web.route-prefix=/alertmanager"}});
    ASSERT_TRUE(server_->wait_for_http(alertmanager_port_, "/alertmanager/-/ready")) << server_->err();
  }

  // What stands there, seen by the operator.
  std::string upstream(const std::string& path) {
    return HttpClient(alertmanager_port_).get("/alertmanager/api/v2/" + path).body;
  }
  static std::vector<std::string> names_in(const HttpResponse& answer) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<std::string> names;
    const auto rows = parsed(answer.body);
    for (const auto& alert : rows.root().elements)
      names.push_back(text_of(*alert.find("labels"), "alertname"));
    return names;
  }
  std::vector<std::string> alerts_of(Appliance& system, const std::string& query = "") {
    return names_in(system.http().get(kPrefix + "alerts" + query));
  }
  static std::string silence(const std::string& alertname, const std::string& more = "") {
    return R"({"matchers":[{"name":"alertname","value":")" + alertname +
           R"(","isRegex":false}],"startsAt":")" + from_now(0min) + R"(","endsAt":")" + from_now(60min) +
           R"(","createdBy":"me","comment":"upkeep")" + more + "}";
  }
  std::string new_silence(Appliance& system, const std::string& alertname) {
    const auto answer = system.http().post(kPrefix + "silences", silence(alertname));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return text_of(parsed(answer.body).root(), "silenceID");
  }

  const std::string started_ = from_now(-1min);
  int alertmanager_port_ = free_port();
  RunningService service_{GetParam(),
                          {{"MIMIR_URL", "http://127.0.0.1:" + std::to_string(alertmanager_port_)},
                           {"ALERTING_HISTORY_WEBHOOK_SECRET", kSecret}}};
  TempDir folder_;
  std::unique_ptr<Process> server_;
  Appliance a_{service_, service_.new_system("A")};
  Appliance b_{service_, service_.new_system("B")};
};
COLLECT_ON_EACH_ENGINE(AlertmanagerJourney);

TEST_P(AlertmanagerJourney, AlertsOfRealSendersStandThereAsTheSystemsOwn) {
  // vmalert: a plain list.
  ASSERT_EQ(
      a_.http()
          .post("/services/mimir/alertmanager/api/v2/alerts",
                R"([{"startsAt":")" + from_now(-1min) +
                    R"(","generatorURL":"http://vmalert/alert?group_id=1","endsAt":")" + from_now(5min) +
                    R"(","labels":{"severity":"critical","alertname":"DiskFull","system_key":"SYS-001"},)" +
                    R"("annotations":{"summary":"Alert {{.alertname}} has severity {{.severity}}"}}])")
          .status,
      200);
  // Alerts as webhooks carry them.
  ASSERT_EQ(b_.http()
                .post(kPrefix + "alerts",
                      R"([{"status":"firing","labels":{"alertname":"CpuHot"},"annotations":{},"startsAt":")" +
                          from_now(-1min) +
                          R"(","endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"9c1"}])")
                .status,
            200);
  const auto all = parsed(upstream("alerts"));
  EXPECT_EQ(all.root().elements.size(), 2U);
  const auto mine = parsed(a_.http().get(kPrefix + "alerts").body);
  ASSERT_EQ(mine.root().elements.size(), 1U);
  const json::Value& alert = mine.root().elements[0];
  EXPECT_EQ(alert.at({"labels", "system_key"})->text, a_.login().key);
  EXPECT_EQ(alert.at({"labels", "system_id"})->text, a_.login().id);
  EXPECT_EQ(alert.at({"annotations", "summary"})->text, "Alert DiskFull has severity critical");
  EXPECT_EQ(alert.at({"status", "state"})->text, "active");
  EXPECT_THAT(alerts_of(b_), ElementsAre("CpuHot"));
  EXPECT_THAT(alerts_of(a_, "?filter=severity=critical"), ElementsAre("DiskFull"));
  EXPECT_THAT(alerts_of(a_, "?filter=severity!=critical"), IsEmpty());
  EXPECT_THAT(alerts_of(a_, "?filter=system_key=~%22.*%22"), ElementsAre("DiskFull"));
  EXPECT_THAT(alerts_of(a_, "?filter=%7Bsystem_key=%22" + b_.login().key + "%22%7D"),
              ElementsAre("DiskFull"));
}

TEST_P(AlertmanagerJourney, ASilenceIsItsOwnersAlone) {
  for (Appliance* system : {&a_, &b_}) {
    ASSERT_EQ(system->http().post(kPrefix + "alerts", R"([{"labels":{"alertname":"DiskFull"}}])").status,
              200);
  }
  const std::string id = new_silence(a_, "DiskFull");
  EXPECT_TRUE(eventually([&] { return alerts_of(a_, "?silenced=false").empty(); }));
  EXPECT_THAT(alerts_of(b_, "?silenced=false"), ElementsAre("DiskFull"));
  EXPECT_THAT(a_.http().get(kPrefix + "alerts").body, HasSubstr(id));

  EXPECT_THAT(a_.http().get(kPrefix + "silences").body, HasSubstr(id));
  EXPECT_EQ(b_.http().get(kPrefix + "silences").body, "[]");
  for (const std::string& path : {"silence/" + id, "silences/" + id}) {
    EXPECT_EQ(a_.http().get(kPrefix + path).status, 200);
    EXPECT_EQ(b_.http().get(kPrefix + path).status, 403);
    EXPECT_EQ(b_.http().request("DELETE", kPrefix + path).status, 403);
  }
  EXPECT_EQ(b_.http().post(kPrefix + "silences", silence("DiskFull", R"(,"id":")" + id + "\"")).status, 403);
  EXPECT_THAT(service_.log(), HasSubstr(R"("event":"audit","reason":"foreign_silence")"));

  const auto changed = a_.http().post(kPrefix + "silences", silence("DiskFull", R"(,"id":")" + id + "\""));
  EXPECT_EQ(changed.status, 200) << changed.body;
  const std::string now = text_of(parsed(changed.body).root(), "silenceID");
  EXPECT_EQ(a_.http().request("DELETE", kPrefix + "silence/" + now).status, 200);
  EXPECT_EQ(text_of(*parsed(a_.http().get(kPrefix + "silence/" + now).body).root().find("status"), "state"),
            "expired");
  EXPECT_EQ(a_.http().get(kPrefix + "silence/00000000-0000-4000-8000-000000000000").status, 404);
  EXPECT_TRUE(eventually([&] { return !alerts_of(a_, "?silenced=false").empty(); }));
}

TEST_P(AlertmanagerJourney, WhatIsOverIsInTheHistory) {
  const auto post = [&](const std::string& name, const std::string& ends_at) {
    ASSERT_EQ(a_.http()
                  .post(kPrefix + "alerts",
                        R"([{"labels":{"alertname":")" + name +
                            R"(","severity":"low"},"annotations":{"summary":"s"},"startsAt":")" + started_ +
                            R"(","endsAt":")" + ends_at + "\"}]")
                  .status,
              200);
  };
  post("DiskFull", from_now(60min));
  post("CpuHot", from_now(60min));
  // It tells of the end only where it told of the beginning.
  ASSERT_TRUE(eventually(
      [&] {
        const auto metrics = HttpClient(alertmanager_port_).get("/alertmanager/metrics").body;
        return metrics.find("alertmanager_notifications_total{integration=\"webhook\"} 2\n") !=
               std::string::npos;
      },
      60s));
  post("DiskFull", from_now(0min));
  const std::string rows =
      "SELECT system_key || ' ' || alertname || ' ' || status || ' ' || severity || ' ' || summary FROM "
      "alert_history";
  const auto history = [&] {
    if (GetParam() == EngineKind::servers) return service_.sql(rows);
    return run({.command = {"sqlite3", (service_.folder() / "data" / "collect.db").string(), rows}}).out;
  };
  EXPECT_TRUE(eventually([&] { return !history().empty(); }, 60s)) << server_->err();
  EXPECT_EQ(history(), a_.login().key + " DiskFull resolved low s\n");
  EXPECT_THAT(service_.log(), Not(HasSubstr(kSecret)));
}

// Lists are read and written anew as a whole, so one machine's must not be as long as it likes.
TEST_P(AlertmanagerJourney, AListTooLongToHoldCanStillBeAskedForInParts) {
  const std::string text(100'000, 'x');
  for (const char* group : {"a", "b", "c", "d", "e"}) {
    std::string alerts;
    for (int i = 0; i < 9; ++i) {
      alerts += alerts.empty() ? "[" : ",";
      alerts += R"({"labels":{"alertname":"Long)" + std::to_string(i) + R"(","group":")" + group +
                R"("},"annotations":{"text":")" + text + "\"}}";
    }
    ASSERT_EQ(a_.http().post(kPrefix + "alerts", alerts + "]").status, 200);
  }
  EXPECT_EQ(a_.http().get(kPrefix + "alerts").status, 502);
  EXPECT_EQ(alerts_of(a_, "?filter=group=c").size(), 9U);
  EXPECT_THAT(alerts_of(b_), IsEmpty());
}

TEST_P(AlertmanagerJourney, WithoutTheAlertmanagerTheRestGoesOn) {
  server_->kill_hard();
  const auto answer = a_.http().post(kPrefix + "alerts", R"([{"labels":{"alertname":"X"}}])");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.header("Retry-After"), Not(IsEmpty()));
  EXPECT_THAT(answer.body, Not(HasSubstr(std::to_string(alertmanager_port_))));
  EXPECT_EQ(a_.http().get("/api/systems/info").status, 200);
  EXPECT_EQ(service_.metric("collect_proxy_requests_total", {"post_alerts", "failed"}), 1);
}

// More wait for it than there are threads for them.
TEST_P(AlertmanagerJourney, OneThatStandsStillHoldsUpNothingElse) {
  const std::string alerts = R"([{"labels":{"alertname":"X"}}])";
  const std::string post =
      "POST " + kPrefix + "alerts HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " +
      to_base64(a_.login().key + ":" + a_.login().secret) +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(alerts.size()) + "\r\n\r\n" +
      alerts;
  ASSERT_EQ(kill(server_->pid(), SIGSTOP), 0);
  std::deque<HttpClient> waiting;
  for (int i = 0; i < 100; ++i) waiting.emplace_back(service_.port()).send(post);
  b_.report(R"({"facts":{"fqdn":"b.example.org"}})");
  EXPECT_EQ(b_.http().get("/api/systems/info").status, 200);
  ASSERT_EQ(kill(server_->pid(), SIGCONT), 0);
  EXPECT_TRUE(eventually([&] { return upstream("alerts").find("\"X\"") != std::string::npos; }, 1min));
}

}  // namespace
}  // namespace collect::test
