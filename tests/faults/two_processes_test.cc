// SPDX-License-Identifier: Apache-2.0
// Item 1: of two processes one is killed, with a claim in its hands, or while both answer appliances; of
// three now this one is away, now that one.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <vector>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

// How many messages each of them has settled.
std::vector<double> work_of(const std::vector<int>& ports) {
  std::vector<double> work;
  for (const int port : ports) work.push_back(metric_at(port, "collect_worker_messages_total"));
  return work;
}

// From now on each of them settles something.
void expect_work(const std::vector<int>& ports) {
  const auto before = work_of(ports);
  auto now = before;
  const auto all_worked = [&] {
    now = work_of(ports);
    if (std::equal(now.begin(), now.end(), before.begin(), std::greater<>())) return true;
    sleep_for(50ms);
    return false;
  };
  EXPECT_TRUE(eventually(all_worked, 5min))
      << testing::PrintToString(before) << " became " << testing::PrintToString(now);
}

// The service and two workers, which come and go.
class Three {
 public:
  enum class Way { killed, stopped, frozen };

  explicit Three(Trial& trial) : trial_(trial) {
    start(1);
    start(2);
  }

  // While all three are there.
  void expect_all_to_work() { expect_work(ports_); }

  void take_away(std::size_t which, Way way) {
    Process& process = *processes_[which];
    switch (way) {
      case Way::killed:
        // With a look before every second one, no three in a row find the same message in hand.
        if (++kills_ % 2 == 0) {
          trial_.service().kill_without_condemning(process);
        } else {
          expect_no_crash(process);
          process.kill_hard();
        }
        break;
      case Way::stopped:
        EXPECT_EQ(process.stop(60s), 0) << process.err();
        break;
      case Way::frozen:
        process.pause();
    }
  }

  void bring_back(std::size_t which) {
    if (processes_[which]->running()) {
      processes_[which]->signal(SIGCONT);
    } else {
      start(which);
    }
  }

 private:
  void start(std::size_t which) {
    if (which == 0) {
      trial_.service().start();
      processes_[0] = &trial_.service().process();
      return;
    }
    // Nobody rings for it: it has to look often to find what the service has not taken yet.
    processes_[which] =
        &trial_.start_worker({{"METRICS_ADDRESS", "127.0.0.1:" + std::to_string(ports_[which])},
                              {"WORKER_INVENTORY_COUNT", "16"},
                              {"WORKER_PROCESSING_COUNT", "16"},
                              {"WORKER_NOTIFICATION_COUNT", "16"}});
    ASSERT_TRUE(processes_[which]->wait_for_http(ports_[which], "/metrics")) << processes_[which]->err();
  }

  Trial& trial_;
  const std::vector<int> ports_ = {trial_.service().port(), free_port(), free_port()};
  std::vector<Process*> processes_ = {&trial_.service().process(), nullptr, nullptr};
  int kills_ = 0;
};

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

// Both take inventories and both work. Each system goes from one to the other with every report, and one of
// them is killed twice meanwhile: what a third end finds in hand once more is a dead letter.
TEST(Faults, TwoDoorsKeepEachSystemsOrder) {
  Trial trial(EngineKind::servers,
              {.seed = trial_seed(), .systems = 6, .most_pause = milliseconds(40), .two_doors = true});
  trial.begin();
  Process* second = &trial.open_second_door();
  const auto expect_both = [&] {
    const auto accepted = [&] {
      return metric_at(trial.doors()[1], "collect_inventories_total", {"outcome=\"accepted\""});
    };
    EXPECT_TRUE(eventually([&] { return accepted() > 0; })) << "nobody comes to the second door";
    expect_work(trial.doors());
  };
  trial.under_load([&] {
    for (int kill = 0; kill < 2; ++kill) {
      expect_both();
      sleep_for(trial.some_time(0, 300));
      second->kill_hard();
      trial.expect_acceptances();
      second = &trial.open_second_door();
    }
    expect_both();
  });
  trial.expect_whole();
  EXPECT_EQ(second->stop(), 0);
}

// Each goes in each way, and before it is back a second one goes, so that a single one is left. In between
// all three work.
TEST(Faults, ThreeProcessesTakeTurnsAtBeingAway) {
  using Way = Three::Way;
  struct Turn {
    std::size_t first;
    Way way;
    // It alone is frozen: strikes of a first one that is would hold up a kill that looks.
    std::size_t second;
    Way second_way;
  };
  const std::vector<Turn> turns = {
      {0, Way::killed, 1, Way::frozen},  {1, Way::killed, 2, Way::stopped}, {2, Way::killed, 0, Way::frozen},
      {0, Way::stopped, 1, Way::killed}, {1, Way::stopped, 2, Way::frozen}, {2, Way::killed, 0, Way::killed},
  };
  Trial trial(EngineKind::servers,
              {.seed = trial_seed(),
               .systems = 8,
               .most_pause = milliseconds(300),
               // A larger batch would hold all the systems, and leave nothing to the other two.
               .settings = {{"WORKER_INVENTORY_COUNT", "1"},
                            {"WORKER_PROCESSING_COUNT", "1"},
                            {"BATCH_PROCESSOR_SIZE", "4"}}});
  trial.begin();
  // Batches take long enough to be in hand when somebody goes.
  trial.postgres_wire().delay(1ms);
  Three three(trial);
  trial.under_load([&] {
    for (const Turn& turn : turns) {
      three.expect_all_to_work();
      three.take_away(turn.first, turn.way);
      sleep_for(trial.some_time(0, 500));
      three.take_away(turn.second, turn.second_way);
      sleep_for(trial.some_time(0, 500));
      three.bring_back(turn.second);
      three.bring_back(turn.first);
    }
    three.expect_all_to_work();
  });
  trial.service().kill_without_condemning();
  trial.kill_all();
  trial.postgres_wire().delay(0ms);
  trial.expect_nothing_lost();
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
