// SPDX-License-Identifier: Apache-2.0
// Watches the depth of the queues: contract section 5, "Queue monitor".
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "queue/queue.h"

namespace collect::queue {

enum class Health { healthy, warning, critical };
std::string_view to_string(Health health);

// warning: more than 10 dead or 1,000 pending (ready, claimed and delayed); critical: more than 100 or
// 10,000.
Health health_of(const Depth& depth);

struct Reading {
  std::array<Depth, std::size(kStages)> depths;  // by Stage
  Time at{};
};

class Monitor {
 public:
  Monitor(Queue& queue, const Clock& clock) : queue_(queue), clock_(clock) {}

  // Reads all stages and writes a log line each: every 30 s.
  void run();
  // The last reading, taken afresh when it is older than `max_age`; nullopt while the queue cannot be asked.
  std::optional<Reading> reading(Duration max_age);

 private:
  std::optional<Reading> read();

  Queue& queue_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<Reading> last_;  // guarded by mutex_
};

}  // namespace collect::queue
