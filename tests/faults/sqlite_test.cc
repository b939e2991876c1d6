// SPDX-License-Identifier: Apache-2.0
// Item 9: the embedded engine's file. Each single write that fails, tears or is the last: faults_writes_test.
// The oracle asks for integrity_check, too.
#include <gmock/gmock.h>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using Fault = FailingDisk::Fault;

TEST(Faults, SqliteKilledUnderLoad) {
  Trial trial(EngineKind::embedded, {.seed = trial_seed()});
  trial.begin();
  trial.under_load([&] {
    for (int kill = 0; kill < 10; ++kill) {
      sleep_for(trial.some_time(50, 400));
      if (kill % 2 == 0) {
        trial.service().kill_hard();
      } else {
        trial.service().kill_without_condemning();
      }
      trial.service().start();
    }
  });
  trial.expect_whole();
}

void lasts(Fault fault) {
  FailingDisk disk;
  Trial trial(EngineKind::embedded, {.seed = trial_seed(), .settings = disk.environment()});
  trial.begin();
  trial.under_load([&] {
    for (int round = 0; round < 2; ++round) {
      disk.set(trial.service().folder() / "data", fault, 1, true);
      trial.expect_refusals();
      sleep_for(trial.some_time(200, 1000));
      EXPECT_TRUE(disk.unset());
      trial.expect_acceptances();
    }
  });
  trial.expect_whole();
}

TEST(Faults, SqliteOnAFullDisk) {
  lasts(Fault::full);
}

TEST(Faults, SqliteOnABrokenDisk) {
  lasts(Fault::broken);
}

// Who reports may be refused or not: what is in memory needs no reading. Locks that fail are another matter,
// for which SQLite waits ten seconds each time.
TEST(Faults, SqliteOnADiskThatCannotBeRead) {
  FailingDisk disk;
  Trial trial(EngineKind::embedded, {.seed = trial_seed(), .settings = disk.environment()});
  trial.begin();
  trial.under_load([&] {
    for (int round = 0; round < 3; ++round) {
      disk.set(trial.service().folder() / "data", Fault::broken, 1, true,
               FailingCalls::kAllButWrites & ~FailingCalls::kLocks);
      EXPECT_TRUE(eventually([&] { return disk.failed() > 10; }, 60s));
      sleep_for(trial.some_time(200, 1000));
      EXPECT_TRUE(disk.unset());
      trial.expect_acceptances();
    }
  });
  trial.expect_whole();
}

TEST(Faults, SqliteHeldByAnotherProcess) {
  Trial trial(EngineKind::embedded, {.seed = trial_seed()});
  trial.begin();
  trial.under_load([&] {
    // Longer than one write waits for the file; who reports may be refused, or have to wait.
    Process other({.command = {"/usr/bin/sqlite3", trial.service().folder() / "data" / "collect.db"},
                   .input = ".timeout 60000\nBEGIN IMMEDIATE;\n.shell sleep 7\nCOMMIT;\n"});
    EXPECT_EQ(other.wait_exit(90s), 0) << other.err();
  });
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
