// SPDX-License-Identifier: Apache-2.0
// What a batch of arrivals does to the store. Pure: both engines ask this one function.
#pragma once

#include <span>

#include "inventory/derive.h"
#include "inventory/intake_store.h"

namespace collect::inventory {

struct Rejected {
  std::size_t arrival = 0;
  std::string reason;
};

struct IntakeDecision {
  IntakePlan plan;
  std::vector<Rejected> rejected;  // nothing is written for these; they are the message's own fault
};

// In batch order, per system:
//   redelivered (in state.processed)             nothing
//   its system does not exist                    rejected
//   same hash as the latest record               no record; its timestamp moves on; `unchanged`
//   older than the latest record                 a late record: no diffs, nothing derived from it
//   else                                         a new record, which is the latest from then on
IntakeDecision decide_intake(std::span<const Arrival> batch, const IntakeState& state,
                             const ApplicationRules& rules);

}  // namespace collect::inventory
