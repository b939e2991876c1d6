// SPDX-License-Identifier: Apache-2.0
// The inventory stage: messages → records, then one processing job for each system that got some: that stage
// works through everything that is pending for a system.
#pragma once

#include <functional>
#include <memory>
#include <set>

#include "base/clock.h"
#include "inventory/derive.h"
#include "inventory/intake_store.h"
#include "inventory/recent.h"
#include "queue/consumer.h"

namespace collect::inventory {

// Each number only grows; readable from any thread.
struct StoreCounters {
  std::atomic<std::uint64_t> stored{0};
  std::atomic<std::uint64_t> unchanged{0};
  std::atomic<std::uint64_t> redelivered{0};
  std::atomic<std::uint64_t> dead{0};
};

// Stateless but for the counters: one object serves all threads of the stage.
class StoreWorker final : public queue::Handler {
 public:
  // The rules in force; asked for each batch, so that a reload takes effect.
  using Rules = std::function<std::shared_ptr<const ApplicationRules>()>;

  // All outlive it.
  StoreWorker(IntakeStore& store, Rules rules, Recent& recent, const Clock& clock);

  Result<std::vector<queue::Outcome>> handle(std::span<const queue::Message> messages,
                                             const queue::StillOurs& still_ours) override;
  Result<std::map<MessageId, queue::Done>> bury(std::span<const queue::Message> dead) override;

  [[nodiscard]] const StoreCounters& counters() const { return counters_; }

 private:
  struct Work {
    std::size_t index;  // into the outcomes
    Arrival arrival;
    std::shared_ptr<const Derived> derived;
  };
  Result<void> store(std::span<Work> batch, std::vector<queue::Outcome>& outcomes,
                     std::set<SystemId>& to_compare);

  IntakeStore& store_;
  Rules rules_;
  Recent& recent_;
  const Clock& clock_;
  StoreCounters counters_;
};

// Reads an inventory message's data, which queue::decode() has checked to be JSON that can be stored:
// {"system_id", "timestamp", "data": {…}}. `invalid` says what is wrong. Where it has to parse the document
// for that, `recent` keeps it.
Result<Arrival> read_arrival(const queue::Message& message, Recent& recent, Time now);

}  // namespace collect::inventory
