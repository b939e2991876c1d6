// SPDX-License-Identifier: Apache-2.0
// No memory left: the process may refuse, or it may end and be started again, as a service manager does.
// What it had accepted is there either way.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <deque>
#include <fstream>
#include <iostream>

#include "faults/at_the_door.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

rlim_t address_space(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmSize:")) return std::stoull(line.substr(7)) * 1024;
  }
  throw std::runtime_error("no process " + std::to_string(pid));
}

// Bodies that want more than there is, beside small ones that do not.
TEST_P(Faults, MemoryLimit) {
  start();
  std::deque<Appliance> boxes;
  for (int i = 0; i < 4; ++i) boxes.emplace_back(*service_, service_->new_system("Box " + std::to_string(i)));
  Tally tally;
  std::size_t restarts = 0;
  const auto post = [&](Appliance& box, const std::string& body) {
    tally.post(box, body);
    // The sanitizer may lack the memory for its last words, and then it waits for itself instead of ending.
    if (service_->process().err().find("AddressSanitizer: CHECK failed: sanitizer_common.cpp") !=
            std::string::npos &&
        service_->running()) {
      service_->process().kill_hard();
    }
    if (service_->running()) return;
    ++restarts;
    service_->start();
  };
  for (Appliance& box : boxes) post(box, labelled_inventory("before", 2000));
  // Under the address sanitizer every lack of memory ends the process (the next one has no limit until the
  // next round), and what is in hand at three such ends is taken for their cause and becomes a dead letter,
  // as promised.
  constexpr std::size_t kHarmlessRestarts = 2;
  for (int round = 0; round < 8 && restarts < kHarmlessRestarts; ++round) {
    const rlim_t room = static_cast<rlim_t>(round) * (std::size_t{8} << 20U);
    const rlimit tight{address_space(service_->pid()) + room, RLIM_INFINITY};
    ASSERT_EQ(prlimit(service_->pid(), RLIMIT_AS, &tight, nullptr), 0);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const std::string label = std::to_string(round) + "/" + std::to_string(i);
      post(boxes[i], labelled_inventory(label + " large", std::size_t{8} << 20U));
      post(boxes[i], labelled_inventory(label + " small", 2000));
    }
    sleep_for(100ms);
    if (!service_->running()) {
      ++restarts;
      service_->start();
    }
    const rlimit enough{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(prlimit(service_->pid(), RLIMIT_AS, &enough, nullptr), 0);
  }
  std::cout << restarts << " restarts\n";
  EXPECT_GT(restarts + tally.of(503) + tally.of(0), 0U) << "there was memory enough for everything";
  Tally after;
  for (Appliance& box : boxes) after.post(box, labelled_inventory("after", 2000));
  EXPECT_EQ(after.of(202), boxes.size()) << after.text();
  tally.add(after);
  expect_whole(tally);
}

}  // namespace
}  // namespace collect::test
