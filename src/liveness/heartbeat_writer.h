// SPDX-License-Identifier: Apache-2.0
// Gathers heartbeats in memory, one per system, and writes them in batches. What was noted and not yet
// written is lost when the process is killed: the next heartbeat makes up for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/ticker.h"
#include "liveness/liveness_store.h"

namespace collect::liveness {

struct HeartbeatCounters {
  std::atomic<std::uint64_t> noted{0};     // calls of note()
  std::atomic<std::uint64_t> written{0};   // rows handed to the store
  std::atomic<std::uint64_t> failures{0};  // batches that the store did not take
  std::atomic<std::uint64_t> dropped{0};   // heartbeats given up, see flush()
};

// Thread-safe.
class HeartbeatWriter {
 public:
  struct Options {
    std::chrono::milliseconds interval{1000};
    std::size_t batch =
        5000;  // heartbeats per write; so many waiting are written without waiting for the interval
  };
  // Writes on a thread of its own. The store outlives it.
  HeartbeatWriter(LivenessStore& store, Options options);
  // Writes what is left, once: a store that is away at the end is not waited for.
  ~HeartbeatWriter();
  HeartbeatWriter(const HeartbeatWriter&) = delete;
  HeartbeatWriter& operator=(const HeartbeatWriter&) = delete;

  // Never waits for the store. The memory it takes is bounded by the number of systems.
  void note(const SystemId& system_id, Time at);

  // Writes what waits now, on the caller's thread. On `unavailable` it is kept for the next time; a batch
  // that fails in any other way would fail again, so it is dropped with an error in the log.
  Result<void> flush();

  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] const HeartbeatCounters& counters() const { return counters_; }

 private:
  using Pending = std::unordered_map<SystemId, Time>;
  void keep(std::span<const Heartbeat> heartbeats);
  void report(const Result<void>& outcome);

  LivenessStore& store_;
  const Options options_;
  HeartbeatCounters counters_;
  mutable std::mutex mutex_;
  Pending pending_;       // guarded by mutex_
  std::mutex writing_;    // one flush at a time: an older time must not be written after a newer one
  bool failing_ = false;  // guarded by writing_
  Ticker ticker_;         // last: its thread uses everything above
};

}  // namespace collect::liveness
