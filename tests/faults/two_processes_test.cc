// SPDX-License-Identifier: Apache-2.0
// Item 1: of two processes one is killed, with a claim in its hands, or while both answer appliances.
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

// Posts it at one of the doors until it is accepted, through kills: at `first`, or else at the other one.
void post_somewhere(std::vector<std::unique_ptr<HttpClient>>& doors, std::size_t first,
                    const std::string& body) {
  const auto give_up = std::chrono::steady_clock::now() + 60s;
  for (std::size_t door = first;; door = (door + 1) % doors.size()) {
    try {
      if (doors[door]->post("/api/systems/inventory", body).status == 202) return;
    } catch (const std::runtime_error&) {
      // Killed, before or after it took the inventory.
    }
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("nobody accepts an inventory");
    sleep_for(10ms);
  }
}

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
  constexpr std::size_t kSystems = 6;
  constexpr int kSteps = 40;
  const auto label = [](int step) { return "step " + std::to_string(step); };
  Service service(EngineKind::servers);
  service.start();
  const std::vector<int> ports = {service.port(), free_port()};
  service.settings()["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(ports[1]);
  const auto open_second = [&] {
    auto process = service.launch({"serve"});
    EXPECT_TRUE(process->wait_for_http(ports[1], "/api/health/live", 60s)) << process->err();
    return process;
  };
  auto second = open_second();
  std::vector<Login> logins;
  for (std::size_t i = 0; i < kSystems; ++i) logins.push_back(service.new_system("Box " + std::to_string(i)));
  std::vector<std::thread> systems;
  for (std::size_t i = 0; i < kSystems; ++i) {
    systems.emplace_back([&, i] {
      std::vector<std::unique_ptr<HttpClient>> doors;
      for (const int port : ports) {
        doors.push_back(std::make_unique<HttpClient>(port));
        doors.back()->basic_auth(logins[i].key, logins[i].secret);
      }
      for (int step = 0; step < kSteps; ++step) {
        EXPECT_NO_THROW(post_somewhere(doors, (i + static_cast<std::size_t>(step)) % 2,
                                       labelled_inventory(label(step), 2000)));
        sleep_for(20ms);
      }
    });
  }
  for (int kill = 0; kill < 2; ++kill) {
    sleep_for(300ms);
    second->kill_hard();
    second = open_second();
  }
  for (std::thread& system : systems) system.join();
  EXPECT_TRUE(eventually([&] { return service.queues_empty(); }, 60s));
  for (const Login& login : logins) {
    const auto diffs = service.diffs(login);
    ASSERT_EQ(diffs.size(), static_cast<std::size_t>(kSteps - 1)) << login.key;
    for (int step = 0; step + 1 < kSteps; ++step) {
      EXPECT_EQ(diffs[static_cast<std::size_t>(step)].from, '"' + label(step) + '"') << login.key;
      EXPECT_EQ(diffs[static_cast<std::size_t>(step)].to, '"' + label(step + 1) + '"') << login.key;
    }
  }
  EXPECT_EQ(service.dead_letters(), 0U);
  EXPECT_EQ(second->stop(), 0);
}

}  // namespace
}  // namespace collect::test
