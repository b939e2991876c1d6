// SPDX-License-Identifier: Apache-2.0
// Who is alive: turns heartbeats into the systems' status. Contract section 6.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "liveness/liveness_store.h"

namespace collect::liveness {

// unknown -> active at the first heartbeat, inactive -> active when it is fresh, active -> inactive when it
// is older than the timeout.
//
// When nobody watched for more than three intervals (Collect was stopped, its store was away, or this is its
// first run ever), silence is Collect's own fault: then nobody is called inactive until one timeout after
// this was noticed. Only runs that might have called somebody inactive are noted in the store, so that a
// restart during this grace begins it again instead of forgetting it.
class HeartbeatMonitor {
 public:
  struct Options {
    std::chrono::seconds interval{60};  // how often run() is called (base/ticker.h)
    std::chrono::minutes timeout{10};   // HEARTBEAT_TIMEOUT_MINUTES
    std::size_t ids_logged = 20;        // of each kind of transition and run
  };
  // The store outlives it.
  HeartbeatMonitor(LivenessStore& store, Options options);

  // One round; safe from any thread. Several processes may do it, in turn. Failures are
  // logged, once until it works again.
  Result<Transitions> run(Time now);

 private:
  Result<Transitions> attempt(Time now);
  Result<bool> in_grace(Time now);
  void report(const Transitions& transitions) const;

  LivenessStore& store_;
  const Options options_;
  std::mutex mutex_;
  std::optional<Time> own_run_;      // the last one that succeeded; guarded by mutex_
  std::optional<Time> grace_until_;  // guarded by mutex_
  bool failing_ = false;             // guarded by mutex_
};

}  // namespace collect::liveness
