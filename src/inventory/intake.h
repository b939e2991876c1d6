// SPDX-License-Identifier: Apache-2.0
// What a batch of arrivals does to the store. Both engines ask this one function, under the locks of the
// systems: whatever needs no look at the store is worked out before, by read_derived().
#pragma once

#include <memory>
#include <span>

#include "inventory/derive.h"
#include "inventory/intake_store.h"
#include "inventory/recent.h"

namespace collect::inventory {

struct Rejected {
  std::size_t arrival = 0;
  std::string reason;
};

struct IntakeDecision {
  IntakePlan plan;
  std::vector<Rejected> rejected;  // nothing is written for these; they are the message's own fault
};

// What an arrival's document says, as derive() has it; leaves in `recent` what the next steps will need.
// `rules` must outlive it.
std::shared_ptr<const Derived> read_derived(const Arrival& arrival, const ApplicationRules& rules,
                                            Recent& recent);

// `derived` has one entry for each arrival. In batch order, per system:
//   redelivered (in state.processed)             nothing
//   its system does not exist                    rejected
//   same hash as the latest record               no record; its timestamp moves on; `unchanged`
//   older than the latest record                 a late record: no diffs, nothing derived from it
//   else                                         a new record, which is the latest from then on
IntakeDecision decide_intake(std::span<const Arrival> batch,
                             std::span<const std::shared_ptr<const Derived>> derived,
                             const IntakeState& state, Recent& recent);

}  // namespace collect::inventory
