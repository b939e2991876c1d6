// SPDX-License-Identifier: Apache-2.0
// Retention by the clock: begins a pass every INVENTORY_CLEANUP_INTERVAL, goes through it a slice at a time
// so that it never holds up what comes in, and goes on where it was after a restart. Progress is kept in the
// store as "<when the pass began> after <system id>" or "<when it began> done".
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>

#include "retention/pass.h"

namespace collect::retention {

struct SweepCounters {
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> resolved_alerts{0};
  std::atomic<std::uint64_t> alert_history{0};
  std::atomic<std::uint64_t> deliveries{0};
  std::atomic<std::uint64_t> passes{0};  // that came to their end
};

class Sweeper {
 public:
  struct Options {
    std::chrono::milliseconds interval{std::chrono::hours(6)};
    std::chrono::milliseconds slice{200};  // a call of tick() works that long and one step more at most
    Pass::Options pass = {};
  };
  // Store and clock outlive it.
  Sweeper(RetentionStore& store, Remove remove, const Clock& clock, Options options);

  // A slice of the pass in hand; or begins one when the last began an interval ago, in whatever process, or
  // goes on with one that another process left. Call it every second, in one process (two that do the same do
  // no harm); safe from any thread. Failures are logged, once until it works again.
  void tick();
  // Another process goes on with the pass in hand.
  void leave();

  [[nodiscard]] const SweepCounters& counters() const { return counters_; }

 private:
  Result<void> attempt();
  Result<bool> begin(Time now);  // false: not due
  Result<void> work();
  void count(const Tally& before, const Tally& after);
  void end();

  RetentionStore& store_;
  const Remove remove_;
  const Clock& clock_;
  const Options options_;
  SweepCounters counters_;
  std::mutex mutex_;
  std::optional<Pass> pass_;  // guarded by mutex_, as all below
  Time began_{};
  Time next_look_{};
  bool failing_ = false;
};

}  // namespace collect::retention
