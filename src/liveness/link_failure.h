// SPDX-License-Identifier: Apache-2.0
// When a system's silence is a link failure, and what follows from it for its row and its tenant's
// Alertmanager. Pure. Contract section 6.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alerts/alert.h"
#include "base/clock.h"
#include "systems/labels.h"
#include "systems/system.h"

namespace collect::liveness {

// Under what an Alertmanager knows a LinkFailed alert. The alert's own labels (alertname and the like) are
// not among these.
struct Posted {
  std::string tenant;
  systems::Labels labels;
  bool operator==(const Posted&) const = default;
};

// One outage of a system: there while the system is silent, and afterwards until its Alertmanager knows that
// it is over.
struct LinkFailure {
  alerts::AlertId alert_id{};
  std::optional<Time> last_heartbeat;  // when it began; the system's next silence has another one
  Time noticed{};                      // created_at of the alert
  std::optional<Time> resolved_at;     // of the alert: the system is back, or an operator resolved it
  bool told = false;                   // the channels were
  std::string message;
  bool critical = false;  // severity of the alert
  Posted posted;
};

struct LinkState {
  systems::System system;
  std::optional<LinkFailure> failure;
};

// A row of inventory_alerts to be, with the outage that it tells.
struct NewLinkFailure {
  SystemId system_id;
  std::optional<Time> last_heartbeat;
  std::string message;
  diff::Severity severity = diff::Severity::critical;
  Posted posted;
};
struct Relabelled {
  alerts::AlertId alert_id{};
  Posted posted;
};
struct LinkPlan {
  std::vector<NewLinkFailure> begun;  // each takes the place of the system's earlier outage, if there is one
  std::vector<Relabelled> relabelled;
  std::vector<alerts::AlertId> resolved;   // alerts
  std::vector<alerts::AlertId> forgotten;  // outages, by their alerts
};

// What an Alertmanager is to hear.
struct LinkPost {
  Posted posted;
  Time starts_at{};
  Time ends_at{};  // not after now: resolved
  std::string message;
  std::optional<alerts::AlertId> forget;  // the outage that needs no more posts after this one
};

// An outage that the channels have not heard of.
struct Untold {
  alerts::AlertId alert_id{};
  SystemId system_id;
  OrganizationId organization_id;  // whose news it is
  bool critical = false;
  Time noticed{};
};

struct LinkDecision {
  LinkPlan plan;
  std::vector<LinkPost> posts;
  std::vector<Untold> begun;   // as plan.begun, still without alert_id
  std::vector<Untold> untold;  // those that began before
  std::size_t silent = 0;      // systems
  std::size_t fresh = 0;       // of these: noticed at or after LinkConditions::fresh_since
};

struct LinkMessage {
  std::string text;
  diff::Severity severity = diff::Severity::critical;
};
struct LinkConditions {
  Time now{};
  Duration timeout{};  // HEARTBEAT_TIMEOUT_MINUTES
  Time fresh_since{};
  bool has_alertmanager = true;  // else nothing is posted, and an outage is forgotten when it is over
  std::function<LinkMessage(const systems::System&)> message;
};

// How long an alert stays in an Alertmanager that hears no more of it.
inline constexpr Duration kLinkAlertLasts = std::chrono::minutes(10);
// How long before now an alert that is over ends: an end that is still to come by an Alertmanager's own clock
// would be no end to it, and the alert would stand until kLinkAlertLasts has passed.
inline constexpr Duration kLinkClockMargin = std::chrono::seconds(30);

// Inactive, and neither deleted nor suspended, nor its organization; and no heartbeat came since that the
// status does not show yet.
bool is_silent(const systems::System& system, Time now, Duration timeout);

// A system that is silent has one outage, whatever is repeated:
//   - it begins with an alert; while it lasts it is posted as firing, from the last heartbeat plus the
//   timeout
//     (never later than now) until kLinkAlertLasts from now. When tenant or labels changed, what was posted
//     before is posted resolved (as ended kLinkClockMargin ago, not before it began);
//   - an alert that an operator resolved is not made again while the same silence lasts;
//   - a system that is back, was suspended or deleted: the alert is resolved, posted resolved until a post
//     succeeded (LinkPost::forget) or the Alertmanager has let it end itself, then forgotten.
LinkDecision decide_links(std::span<const LinkState> states, const LinkConditions& conditions);

// How a round finds the fleet.
enum class FleetMood : std::uint8_t {
  calm,
  uneasy,  // so many went silent lately that it may become
  silent,  // half of the fleet: likely Collect's own network is at fault
};
// `active` systems, and those that went silent lately.
FleetMood mood_of(std::size_t active, std::size_t fresh);

}  // namespace collect::liveness
