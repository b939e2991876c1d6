// SPDX-License-Identifier: Apache-2.0
// Item 1: kill -9 at each named point of a message's way, on both engines. faults_calls_test and
// faults_writes_test die at every request and every write; these are the moments that have names.
#include <gmock/gmock.h>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

// In the order of a message's way.
std::vector<std::string> points(EngineKind engine) {
  std::vector<std::string> all = {"inventory.after_enqueue"};
  for (const std::string stage : {"inventory", "processing", "notification"}) {
    for (const char* moment :
         {"after_claim", "mid_transaction", "after_commit", "before_settle", "mid_settle", "after_settle"}) {
      // Redis settles in one script, which has no middle that could be seen.
      if (engine == EngineKind::embedded || moment != std::string("mid_settle"))
        all.push_back(stage + "." + moment);
    }
  }
  return all;
}

// The process is started once with the point, and without it after its end.
bool dies_at(Trial& trial, const std::string& point) {
  Service& service = trial.service();
  if (service.running()) service.kill_hard();
  service.settings()["COLLECT_CRASH_AT"] = point;
  service.start();
  service.settings().erase("COLLECT_CRASH_AT");
  const pid_t victim = service.pid();
  const auto is_dead = [&] { return service.pid() != victim || !service.running(); };
  for (int step = 0; step < 20 && !is_dead(); ++step) {
    trial.report(1);
    eventually([&] { return is_dead() || trial.quiet(); }, 30s);
  }
  if (!is_dead()) return false;
  if (service.running()) service.kill_hard();  // a system may have asked for it again
  return true;
}

TEST(Faults, KilledAtEachNamedPoint) {
  const std::uint64_t seed = trial_seed();
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.seed = seed, .systems = 2, .program = crashing_collect()});
    trial.begin();
    trial.report(1);
    for (const std::string& point : points(engine)) {
      EXPECT_TRUE(dies_at(trial, point)) << point;
      trial.expect_nothing_lost();
      trial.ensure_running();
      ASSERT_TRUE(eventually([&] { return trial.quiet(); }, 60s)) << "no recovery from " << point;
    }
    trial.expect_whole();
  }
}

}  // namespace
}  // namespace collect::test
