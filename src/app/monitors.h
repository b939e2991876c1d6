// SPDX-License-Identifier: Apache-2.0
// What runs by the clock and in one process only, of several that share a database: the runner
// (election/runner.h).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ticker.h"
#include "election/runner.h"

namespace collect::app {

class Monitors {
 public:
  // When a monitor's first round comes in a process that is elected while nobody was the runner. After a
  // runner that fell silent all rounds come at once.
  enum class First { after_interval, at_once };

  // Store and clock outlive it. Takes part in no election before start().
  Monitors(election::TermStore& terms, const Clock& clock, std::chrono::milliseconds lease);
  ~Monitors();
  Monitors(const Monitors&) = delete;
  Monitors& operator=(const Monitors&) = delete;

  // Before start(). `elsewhere` is called instead of `run` while another process is the runner.
  void add(std::string name, std::chrono::milliseconds interval, std::function<void()> run,
           First first = First::after_interval, std::function<void()> elsewhere = {});
  void start();
  // Waits for the rounds under way, then lets another process go on at once. (A round longer than what is
  // left of the lease ends in another's term.)
  void stop();

  [[nodiscard]] const election::Runner& runner() const { return runner_; }
  // In this process, by name.
  [[nodiscard]] std::map<std::string, std::uint64_t> rounds() const;

 private:
  struct Monitor {
    std::string name;
    First first;
    std::atomic<std::uint64_t> rounds{0};
    std::unique_ptr<Ticker> ticker = {};
  };
  void elected(election::Runner::Before before);

  const Clock& clock_;
  const std::chrono::milliseconds lease_;
  election::Runner runner_;
  std::vector<std::unique_ptr<Monitor>> monitors_;  // stays the same from start() on
  std::optional<Ticker> candidacy_;
};

}  // namespace collect::app
