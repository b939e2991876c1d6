// SPDX-License-Identifier: Apache-2.0
// Three processes on one PostgreSQL and one Redis: the monitors run once, whichever of them dies or stands
// still.
#include <gmock/gmock.h>
#include <signal.h>

#include "base/clock.h"
#include "journey/alerts_seen.h"
#include "journey/appliance.h"
#include "support/alertmanager_server.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kMinute = 60s;  // within which another process goes on

struct Another {
  int port;
  std::unique_ptr<Process> process;
  bool answers = true;
  double rounds = 0;  // when it last answered

  double metric(const std::string& name) const {
    const auto page = HttpClient(port).get("/metrics").body;
    const auto found = page.find("\n" + name + " ");
    return found == std::string::npos ? 0 : std::strtod(page.c_str() + found + name.size() + 2, nullptr);
  }
};

class RunnerJourney : public testing::Test {
 protected:
  RunnerJourney() {
    write_text(place_.folder() / "config.yml", config_with(receiver_, kNothingHeldBack));
    place_.cli_output({"migrate"});
    for (int i = 0; i < 3; ++i) {
      Another& one = processes_.emplace_back();
      one.port = free_port();
      place_.settings()["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(one.port);
      one.process = place_.launch({"serve"});
      if (!one.process->wait_for_http(one.port, "/api/health/live", kMinute))
        throw std::runtime_error("a process does not answer: " + one.process->err());
    }
  }
  ~RunnerJourney() override {
    for (const Another& one : processes_) {
      if (HasFailure()) std::cerr << "---- log of port " << one.port << " ----\n" << one.process->err();
    }
  }

  // The one that says it is; nullptr while nobody or more than one does.
  Another* runner() {
    Another* found = nullptr;
    for (Another& one : processes_) {
      if (!one.answers || one.metric("collect_monitors_runner") == 0) continue;
      if (found != nullptr) return nullptr;
      found = &one;
    }
    return found;
  }
  Another* next_runner() {
    Another* found = nullptr;
    EXPECT_TRUE(eventually([&] { return (found = runner()) != nullptr; }, kMinute));
    return found;
  }
  // Of LinkFailed, in all processes that answer or did.
  double rounds() {
    double sum = 0;
    for (Another& one : processes_) {
      if (one.answers)
        one.rounds = one.metric("collect_monitor_rounds_total{monitor=\"link_failed_monitor\"}");
      sum += one.rounds;
    }
    return sum;
  }
  // One process's, or less on a slow machine; two would do twice as many.
  void expect_rounds_of_one() {
    const auto from = std::chrono::steady_clock::now();
    const double before = rounds();
    EXPECT_TRUE(eventually([&] { return rounds() - before >= 10; }, kMinute));
    const double after = rounds();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    EXPECT_LE(after - before, seconds + 2);
  }
  void write_heartbeat(const Login& system, Time at, const std::string& status) {
    place_.sql("INSERT INTO system_heartbeats (system_id, last_heartbeat, status, created_at) VALUES ('" +
               system.id + "', '" + to_rfc3339(at) +
               "', 'active', now()) ON CONFLICT (system_id) DO UPDATE SET "
               "last_heartbeat = excluded.last_heartbeat; UPDATE systems SET status = '" +
               status + "' WHERE id = '" + system.id + "'");
  }
  // endsAt of the LinkFailed alerts that stand.
  std::vector<std::string> standing() {
    std::vector<std::string> ends;
    const auto list = parsed(alertmanager_.alerts("active=true&filter=alertname%3D%22LinkFailed%22"));
    for (const auto& alert : list.root().elements) ends.push_back(text_of(alert, "endsAt"));
    return ends;
  }
  std::vector<AlertRow> rows() { return listed_alerts(place_, {"--type", "link_failed"}); }
  bool refreshed() {
    const auto before = standing();
    return eventually([&] { return standing() > before; }, kMinute);
  }

  AlertmanagerServer alertmanager_;
  WebhookReceiver receiver_{"0123456789abcdef0123456789abcdef"};
  Service place_{EngineKind::servers,
                 {{"MIMIR_URL", alertmanager_.url()},
                  {"LINK_FAILED_INTERVAL", "1s"},
                  {"MONITOR_LEASE", "6s"},
                  {"LOG_LEVEL", "info"}}};
  std::vector<Another> processes_;
};

TEST_F(RunnerJourney, OneRunsTheMonitorsThroughAKillAStopAndALostSession) {
  Another* first = next_runner();
  ASSERT_NE(first, nullptr);
  const Login system = place_.new_system("Silent");
  write_heartbeat(system, SystemClock().now() - 1h, "inactive");
  ASSERT_TRUE(eventually([&] { return standing().size() == 1; }, kMinute));
  expect_rounds_of_one();

  first->answers = false;
  first->process->kill_hard();
  Another* second = next_runner();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(second->process->wait_for_output("runner_elected", kMinute));
  EXPECT_TRUE(refreshed());
  expect_rounds_of_one();

  // Its sessions with the database go, and it is still the runner, or another one is.
  place_.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
      "pid <> pg_backend_pid()");
  second = next_runner();
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(refreshed());
  expect_rounds_of_one();

  second->answers = false;
  second->process->signal(SIGSTOP);
  Another* third = next_runner();
  ASSERT_NE(third, nullptr);
  EXPECT_TRUE(refreshed());
  expect_rounds_of_one();
  write_heartbeat(system, SystemClock().now(), "active");
  ASSERT_TRUE(eventually([&] { return standing().empty(); }, kMinute));

  // It wakes in another's term: what it was at is not written and not posted.
  second->process->signal(SIGCONT);
  second->answers = true;
  EXPECT_TRUE(second->process->wait_for_output("runner_lost", kMinute));
  const double own = second->metric("collect_monitor_rounds_total{monitor=\"link_failed_monitor\"}");
  expect_rounds_of_one();
  EXPECT_EQ(runner(), third);
  EXPECT_EQ(second->metric("collect_monitor_rounds_total{monitor=\"link_failed_monitor\"}"), own);
  EXPECT_THAT(standing(), IsEmpty());

  // All of it was one outage, told once, and its end once.
  ASSERT_THAT(rows(), SizeIs(1));
  EXPECT_TRUE(rows()[0].resolved);
  const auto news = news_of(rows());
  EXPECT_TRUE(wait_told(receiver_, news, kMinute));
  expect_each_told_once(receiver_, news);
}

TEST_F(RunnerJourney, WhoIsStoppedInOrderIsFollowedAtOnce) {
  Another* first = next_runner();
  ASSERT_NE(first, nullptr);
  first->answers = false;
  EXPECT_EQ(first->process->stop(kMinute), 0);
  EXPECT_EQ(place_.sql("SELECT runner = '' OR number > 1 FROM collect_terms"), "t\n");
  ASSERT_NE(next_runner(), nullptr);
  expect_rounds_of_one();
}

}  // namespace
}  // namespace collect::test
