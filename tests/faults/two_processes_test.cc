// SPDX-License-Identifier: Apache-2.0
// Item 1: of two processes one is killed with a claim in its hands.
#include <gmock/gmock.h>

#include <csignal>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

TEST(Faults, TwoProcessesOneKilledTheOtherAdopts) {
  Trial trial(EngineKind::servers, {.seed = trial_seed(), .program = crashing_collect()});
  trial.begin();
  const pid_t survivor = trial.service().pid();
  trial.under_load([&] {
    for (const char* point : {"inventory.after_claim:3", "inventory.mid_transaction",
                              "processing.mid_transaction", "notification.after_commit"}) {
      // Nobody rings for it: it has to look often to find something that the other has not taken yet.
      Process& other = trial.start_worker({{"COLLECT_CRASH_AT", point},
                                           {"WORKER_INVENTORY_COUNT", "16"},
                                           {"WORKER_PROCESSING_COUNT", "16"},
                                           {"WORKER_NOTIFICATION_COUNT", "16"}});
      EXPECT_EQ(other.wait_exit(60s), 128 + SIGKILL) << "did not come to " << point;
    }
  });
  EXPECT_EQ(trial.service().pid(), survivor);
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
