// SPDX-License-Identifier: Apache-2.0
// The simulated appliances of `collect demo`: they report over HTTP, in threads, and remember what Collect
// took.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/enlist.h"
#include "base/result.h"

namespace collect::app {

// What one system sent and Collect took.
struct Story {
  Enlisted system;
  std::uint64_t reports = 0;
  std::vector<fleet::Event> events;  // in the order of the reports
};

struct FleetProgress {
  std::uint64_t reports = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t asked_to_wait = 0;  // 429 and 503
  std::uint64_t events = 0;
  std::string latest;              // "Milano cluster: Mail 1.7.12 → 1.7.13 (mail1)"
  std::optional<Failure> failure;  // the first thing that should not have happened
};

class DemoFleet {
 public:
  // Begins to report at once: each system every two to three seconds, with a heartbeat after every fourth
  // report.
  DemoFleet(std::string url, std::vector<Enlisted> systems);
  ~DemoFleet();
  DemoFleet(const DemoFleet&) = delete;
  DemoFleet& operator=(const DemoFleet&) = delete;

  // These two from any thread.
  [[nodiscard]] FleetProgress progress() const;
  [[nodiscard]] std::vector<Story> stories() const;
  // No new reports; waits for those on the way.
  void stop();

 private:
  struct Member;
  void work(std::vector<Member>& members);
  bool report(fleet::Client& client, Member& member);
  void sleep_until(std::chrono::steady_clock::time_point time) const;
  bool fail(Failure failure);  // false

  const std::string url_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  FleetProgress progress_;                    // guarded by mutex_
  std::vector<Story> stories_;                // guarded by mutex_
  std::vector<std::vector<Member>> members_;  // each thread's own
  std::vector<std::thread> threads_;
};

}  // namespace collect::app
