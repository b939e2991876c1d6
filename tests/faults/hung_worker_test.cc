// SPDX-License-Identifier: Apache-2.0
// Item 2: a worker is stopped (SIGSTOP) with a batch in its hands until its lease is over and another one has
// done its work. When it goes on, it must notice.
#include <gmock/gmock.h>
#include <signal.h>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

bool is_stopped(pid_t pid) {
  const std::string stat = read_text("/proc/" + std::to_string(pid) + "/stat");
  const auto name = stat.rfind(')');
  return name != std::string::npos && stat.compare(name, 3, ") T") == 0;
}

// Reports until the worker stops.
bool hangs(Trial& trial, Process& worker) {
  for (int step = 0; step < 20 && !is_stopped(worker.pid()); ++step) {
    trial.report(1);
    eventually([&] { return is_stopped(worker.pid()); }, 2s);
  }
  return is_stopped(worker.pid());
}

TEST(Faults, AWorkerStoppedBeyondItsLeaseSettlesNothing) {
  // One system, one message on its way: who is stopped then has no transaction open elsewhere, which would
  // hold up everybody until PostgreSQL ends it after a minute.
  Trial trial(EngineKind::servers, {.seed = trial_seed(), .systems = 1, .program = crashing_collect()});
  trial.begin();
  trial.service().stop();
  trial.service().start({"--role", "api"});
  std::vector<Process*> hung;
  // From the last stage to the first, because a stage that is held up has no more for the next one. With the
  // effects done it is the settling alone that must not happen; without them, they come late and must not
  // come twice.
  for (const char* point :
       {"notification.after_commit", "processing.after_commit", "inventory.after_claim"}) {
    hung.push_back(&trial.start_worker({{"COLLECT_HANG_AT", point}}));
    ASSERT_TRUE(hangs(trial, *hung.back())) << point;
  }
  trial.start_worker();
  ASSERT_TRUE(eventually([&] { return trial.quiet(); }, 90s)) << "nobody took the batches over";
  for (Process* worker : hung) worker->signal(SIGCONT);
  for (Process* worker : hung) {
    EXPECT_TRUE(worker->wait_for_output("lease_lost", 90s))
        << (worker->running() ? "it runs" : "it ended") << worker->err();
  }
  trial.report(3);
  trial.expect_whole();
}

// The embedded engine has one process: it finds its own leases over.
TEST(Faults, AProcessStoppedBeyondItsLeasesGoesOn) {
  Trial trial(EngineKind::embedded, {.seed = trial_seed()});
  trial.begin();
  trial.under_load([&] {
    trial.service().signal(SIGSTOP);
    sleep_for(17s);
    trial.service().signal(SIGCONT);
  });
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
