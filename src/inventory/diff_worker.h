// SPDX-License-Identifier: Apache-2.0
// The processing stage: pending records → diffs, then one notification job for each record that changed
// something.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "base/clock.h"
#include "diff/rules.h"
#include "inventory/comparison_store.h"
#include "inventory/recent.h"
#include "queue/consumer.h"

namespace collect::inventory {

// Each number only grows; readable from any thread.
struct DiffCounters {
  std::atomic<std::uint64_t> records{0};
  std::atomic<std::uint64_t> changed_records{0};
  std::atomic<std::uint64_t> changes{0};
};

// Stateless but for the counters: one object serves all threads of the stage.
class DiffWorker final : public queue::Handler {
 public:
  using Rules = std::function<std::shared_ptr<const diff::Rules>()>;

  // All outlive it.
  DiffWorker(ComparisonStore& store, Rules rules, Recent& recent, const Clock& clock, int max_attempts);

  Result<std::vector<queue::Outcome>> handle(std::span<const queue::Message> messages,
                                             const queue::StillOurs& still_ours) override;
  Result<std::map<MessageId, queue::Done>> bury(std::span<const queue::Message> dead) override;

  [[nodiscard]] const DiffCounters& counters() const { return counters_; }

 private:
  // Compares everything that is pending for the systems; adds what changed to `compared`.
  Result<void> compare(std::vector<SystemId> systems, std::vector<Compared>& compared);

  ComparisonStore& store_;
  Rules rules_;
  Recent& recent_;
  const Clock& clock_;
  const int max_attempts_;
  DiffCounters counters_;
};

}  // namespace collect::inventory
