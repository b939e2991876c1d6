// SPDX-License-Identifier: Apache-2.0
// The notification stage: tells the stored changes of a record, today to the log, and marks them as told.
#pragma once

#include <atomic>
#include <cstdint>

#include "alerts/unsent_store.h"
#include "queue/consumer.h"

namespace collect::alerts {

// Each number only grows; readable from any thread.
struct NotifyCounters {
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> changes{0};
};

// Stateless but for the counters: one object serves all threads of the stage.
class NotifyWorker final : public queue::Handler {
 public:
  explicit NotifyWorker(UnsentStore& store) : store_(store) {}

  Result<std::vector<queue::Outcome>> handle(std::span<const queue::Message> messages,
                                             const queue::StillOurs& still_ours) override;
  Result<void> bury(std::span<const queue::Message> dead) override;

  [[nodiscard]] const NotifyCounters& counters() const { return counters_; }

 private:
  UnsentStore& store_;
  NotifyCounters counters_;
};

}  // namespace collect::alerts
