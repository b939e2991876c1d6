// SPDX-License-Identifier: Apache-2.0
// Which alerts are over because what they tell of was undone. Pure.
#pragma once

#include <span>
#include <vector>

#include "alerts/alert_store.h"

namespace collect::alerts {

// The open alerts (by id) that `diff` ends, in their order. An alert is over when its place is again what it
// was before: an updated value has its previous value, what was created is gone, what was deleted is there,
// whatever steps lay between. With it end the later alerts about the same place and what lies in it: they
// are those steps. The diff may be about the place itself or about something that holds it.
std::vector<AlertId> ended_by(const StoredDiff& diff, std::span<const OpenAlert> open);

}  // namespace collect::alerts
