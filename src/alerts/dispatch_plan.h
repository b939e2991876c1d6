// SPDX-License-Identifier: Apache-2.0
// Which waiting notifications of a channel go out now, and in what bundles: grouping and rate limits. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "alerts/notification_rules.h"
#include "alerts/notification_store.h"

namespace collect::alerts {

// How far back DispatchState::recent has to go.
Duration recent_span(const Grouping& grouping);

// Per organization, critical and other notifications apart:
//   - a system about which nothing went out within the window is told at once; what follows waits for the
//     window's end and goes out together then;
//   - when more than max_group_size systems are due at once, or only the last of the hour's notifications is
//     left, one summary tells of all that is due; the next summary waits `kSummaryPause`;
//   - with no notification left for the hour, all wait.
// Whatever is in no delivery stays waiting.
inline constexpr Duration kSummaryPause = std::chrono::minutes(5);
std::vector<NewDelivery> plan_deliveries(const DispatchState& state, const Grouping& grouping,
                                         const RateLimits& limits, Time now,
                                         const std::function<std::string()>& new_id);

}  // namespace collect::alerts
