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

// Two summaries are at least this far apart: longer where the hour's limit is low (an hour by half the
// limit).
inline constexpr Duration kSummaryPause = std::chrono::minutes(5);

// A crowd is gathered until this long nobody joined it, so that its first summary tells of most of it; the
// first of it wait kGatherAtMost.
inline constexpr Duration kGatherQuiet = std::chrono::seconds(10);
inline constexpr Duration kGatherAtMost = std::chrono::minutes(1);

// Per organization, and for critical notifications apart from the others, so that a storm of the others
// delays no critical one:
//   - a system about which nothing went out within the window is due at once; what follows waits for the
//     window's end and goes out together then. A critical notification waits only for a window that a
//     critical one began, and takes along whatever else waits about its system;
//   - each due system has a delivery of its own, unless they are a crowd: more than max_group_size, with
//     those told on their own within the last kSummaryPause; or so many that fewer of the hour's
//     notifications would be left than are kept for summaries (half of them, as many as the pause allows at
//     most). A crowd is gathered and told in one summary of all who are due, and the next summary waits for
//     the pause. A summary begins no system's window. What is told as kWholeFleet's news is a crowd however
//     few they are;
//   - with no notification left for the hour, all wait.
// Whatever is in no delivery stays waiting. Critical deliveries come first.
std::vector<NewDelivery> plan_deliveries(const DispatchState& state, const Grouping& grouping,
                                         const RateLimits& limits, Time now,
                                         const std::function<std::string()>& new_id);

}  // namespace collect::alerts
