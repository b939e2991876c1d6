// SPDX-License-Identifier: Apache-2.0
// A queue in memory for this room's own tests: one process, leases only end when told to, faults on request.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "queue/queue.h"

namespace collect::queue {

class MemoryQueue final : public Queue {
 public:
  // Set before threads start.
  std::function<void()> before_enqueue;

  std::optional<Failure> fault;  // of every call while it is set; set_fault() when threads run
  int enqueue_calls = 0;
  std::size_t largest_enqueue_texts = 0;
  std::size_t largest_enqueue_bytes = 0;

  void set_fault(std::optional<Failure> next) {
    const std::lock_guard lock(mutex_);
    fault = std::move(next);
  }
  // The next claim() of the stage gets these, as if their owner had vanished.
  void orphan(Stage stage, std::vector<std::string> texts) {
    const std::lock_guard lock(mutex_);
    line(stage).orphan = std::move(texts);
  }
  // Takes everybody's claims of the stage away.
  void lose_leases(Stage stage) {
    const std::lock_guard lock(mutex_);
    line(stage).claims.clear();
  }
  std::vector<std::string> ready(Stage stage) {
    const std::lock_guard lock(mutex_);
    return {line(stage).ready.begin(), line(stage).ready.end()};
  }
  std::vector<Delayed> delayed(Stage stage) {
    const std::lock_guard lock(mutex_);
    return line(stage).delayed;
  }
  std::vector<std::string> dead(Stage stage) {
    const std::lock_guard lock(mutex_);
    return line(stage).dead;
  }
  int settled(Stage stage) {
    const std::lock_guard lock(mutex_);
    return line(stage).settled;
  }
  int renewed(Stage stage) {
    const std::lock_guard lock(mutex_);
    return line(stage).renewed;
  }

  Result<void> enqueue(Stage stage, std::span<const std::string> texts) override {
    if (before_enqueue) before_enqueue();
    const std::lock_guard lock(mutex_);
    ++enqueue_calls;
    std::size_t bytes = 0;
    for (const auto& text : texts) bytes += text.size();
    largest_enqueue_texts = std::max(largest_enqueue_texts, texts.size());
    largest_enqueue_bytes = std::max(largest_enqueue_bytes, bytes);
    if (fault) return *fault;
    line(stage).ready.insert(line(stage).ready.end(), texts.begin(), texts.end());
    return {};
  }
  Result<Claim> claim(Stage stage, const WorkerId& worker, ClaimLimits limits) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    Line& mine = line(stage);
    Claim& claim = mine.claims[worker];
    if (claim.texts.empty() && !mine.orphan.empty()) {
      claim = {std::move(mine.orphan), true};
      mine.orphan.clear();
    }
    while (!claim.adopted && claim.texts.size() < limits.messages && !mine.ready.empty()) {
      claim.texts.push_back(mine.ready.front());
      mine.ready.pop_front();
    }
    return claim;
  }
  Result<bool> renew(Stage stage, const WorkerId& worker) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    ++line(stage).renewed;
    return line(stage).claims.contains(worker);
  }
  Result<Settled> settle(Stage stage, const WorkerId& worker, const Settlement& settlement) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    Line& mine = line(stage);
    if (mine.claims.erase(worker) == 0) return Settled::lease_lost;
    ++mine.settled;
    mine.ready.insert(mine.ready.begin(), settlement.give_back.begin(), settlement.give_back.end());
    mine.delayed.insert(mine.delayed.end(), settlement.delayed.begin(), settlement.delayed.end());
    mine.dead.insert(mine.dead.end(), settlement.dead.begin(), settlement.dead.end());
    for (const auto& next : settlement.onward) line(next.stage).ready.push_back(next.text);
    return Settled::done;
  }
  Result<int> strike(Stage stage, std::string_view text, std::string_view attempt) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    auto& attempts = line(stage).strikes[std::string(text)];
    attempts.emplace(attempt);
    if (std::exchange(loses_an_answer_, false)) return unavailable("the answer was lost");
    return static_cast<int>(attempts.size());
  }
  Result<void> absolve(Stage stage, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    line(stage).strikes.erase(std::string(text));
    return {};
  }
  Result<std::uint64_t> upkeep(Stage) override { return std::uint64_t{0}; }
  Result<Depth> depth(Stage stage) override {
    const std::lock_guard lock(mutex_);
    if (fault) return *fault;
    const Line& mine = line(stage);
    Depth depth;
    depth.ready = mine.ready.size();
    for (const auto& [worker, claim] : mine.claims) depth.claimed += claim.texts.size();
    depth.delayed = mine.delayed.size();
    depth.dead = mine.dead.size();
    return depth;
  }
  Result<std::vector<std::string>> peek(Stage stage, Part, std::size_t) override { return dead(stage); }
  Result<bool> take_dead(Stage, std::string_view, std::optional<std::string_view>) override { return false; }
  // The next strike counts, and who asked for it is told that the queue is away.
  void lose_an_answer() {
    const std::lock_guard lock(mutex_);
    loses_an_answer_ = true;
  }
  std::size_t strikes(Stage stage) {
    const std::lock_guard lock(mutex_);
    return line(stage).strikes.size();
  }

 private:
  struct Line {
    std::deque<std::string> ready;
    std::vector<Delayed> delayed;
    std::vector<std::string> dead;
    std::vector<std::string> orphan;
    std::map<WorkerId, Claim> claims;
    std::map<std::string, std::set<std::string>> strikes;  // the attempts
    int settled = 0;
    int renewed = 0;
  };
  Line& line(Stage stage) { return lines_[stage]; }

  bool loses_an_answer_ = false;
  std::mutex mutex_;
  std::map<Stage, Line> lines_;
};

}  // namespace collect::queue
