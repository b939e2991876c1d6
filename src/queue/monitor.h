// SPDX-License-Identifier: Apache-2.0
// Watches the depth of the queues: contract section 5, "Queue monitor".
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

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
  // How many messages of a stage this process has handled since it began.
  using Handled = std::function<std::uint64_t(Stage)>;

  Monitor(Queue& queue, const Clock& clock, Handled handled)
      : queue_(queue), clock_(clock), handled_(std::move(handled)) {}

  // Reads all stages and writes a log line each, with rates since the last run: every 30 s, by one thread.
  void run();
  // The last reading, taken afresh when it is older than `max_age`; nullopt while the queue cannot be asked.
  std::optional<Reading> reading(Duration max_age);

 private:
  // What a run saw of a stage, for the rates of the next one.
  struct Seen {
    Time at{};
    std::uint64_t pending = 0;
    std::uint64_t handled = 0;
  };

  std::optional<Reading> read();

  Queue& queue_;
  const Clock& clock_;
  const Handled handled_;
  std::array<std::optional<Seen>, std::size(kStages)> seen_;  // by Stage
  std::mutex mutex_;
  std::optional<Reading> last_;  // guarded by mutex_
};

}  // namespace collect::queue
