// SPDX-License-Identifier: Apache-2.0
#include "liveness/link_failure.h"

#include <algorithm>

namespace collect::liveness {
namespace {

// Fewer are no fleet whose silence would tell anything.
constexpr std::size_t kLeastSilent = 3;
// So many at once, and at least one in so many, is more than the usual failing of one line here and there.
constexpr std::size_t kLeastUneasy = 5;
constexpr std::size_t kUneasyOneIn = 50;

class Decider {
 public:
  explicit Decider(const LinkConditions& conditions) : conditions_(conditions) {}

  void decide(const LinkState& state) {
    const systems::System& system = state.system;
    if (!is_silent(system, conditions_.now, conditions_.timeout)) {
      if (state.failure) end(system, *state.failure);
      return;
    }
    ++decision_.silent;
    if (state.failure && state.failure->last_heartbeat == system.last_heartbeat) {
      go_on(system, *state.failure);
      return;
    }
    // It came back and went again between two rounds.
    if (state.failure) end_now(*state.failure);
    begin(system);
  }

  LinkDecision done() && { return std::move(decision_); }

 private:
  [[nodiscard]] Posted posted_of(const systems::System& system) const {
    return {systems::tenant_of(system), systems::labels_of(system)};
  }
  [[nodiscard]] Untold untold(const systems::System& system, Time noticed, bool critical) const {
    return {{}, system.id, system.organization.logto_id, critical, noticed};
  }
  [[nodiscard]] Time start_of(const std::optional<Time>& last_heartbeat, Time noticed) const {
    // `noticed` is not later than now, unless the clock was put back.
    const Time latest = std::min(noticed, conditions_.now);
    return last_heartbeat ? std::min(*last_heartbeat + conditions_.timeout, latest) : latest;
  }
  [[nodiscard]] bool stands_there(const LinkFailure& failure) const {
    return !failure.resolved_at || conditions_.now < *failure.resolved_at + kLinkAlertLasts;
  }

  void fire(const Posted& posted, const std::optional<Time>& last_heartbeat, Time noticed,
            const std::string& message) {
    if (!conditions_.has_alertmanager) return;
    decision_.posts.push_back({posted, start_of(last_heartbeat, noticed), conditions_.now + kLinkAlertLasts,
                               message, std::nullopt});
  }
  void post_resolved(const LinkFailure& failure, bool forget) {
    if (!conditions_.has_alertmanager) return;
    const Time start = start_of(failure.last_heartbeat, failure.noticed);
    const Time over = std::min(failure.resolved_at.value_or(conditions_.now), conditions_.now);
    const Time end = std::max(start, over - kLinkClockMargin);
    decision_.posts.push_back({failure.posted, start, end, failure.message,
                               forget ? std::optional(failure.alert_id) : std::nullopt});
  }

  void begin(const systems::System& system) {
    auto message = conditions_.message(system);
    auto posted = posted_of(system);
    fire(posted, system.last_heartbeat, conditions_.now, message.text);
    decision_.begun.push_back(untold(system, conditions_.now, message.severity == diff::Severity::critical));
    decision_.plan.begun.push_back(
        {system.id, system.last_heartbeat, std::move(message.text), message.severity, std::move(posted)});
    ++decision_.fresh;
  }

  void go_on(const systems::System& system, const LinkFailure& failure) {
    if (failure.resolved_at) {
      if (stands_there(failure)) post_resolved(failure, false);
      return;
    }
    const Posted now = posted_of(system);
    if (now != failure.posted) {
      post_resolved(failure, false);
      decision_.plan.relabelled.push_back({failure.alert_id, now});
    }
    fire(now, failure.last_heartbeat, failure.noticed, failure.message);
    if (failure.noticed >= conditions_.fresh_since) ++decision_.fresh;
    if (failure.told) return;
    decision_.untold.push_back(untold(system, failure.noticed, failure.critical));
    decision_.untold.back().alert_id = failure.alert_id;
  }

  void end(const systems::System&, const LinkFailure& failure) {
    if (!failure.resolved_at) decision_.plan.resolved.push_back(failure.alert_id);
    if (conditions_.has_alertmanager && stands_there(failure)) {
      post_resolved(failure, true);
    } else {
      decision_.plan.forgotten.push_back(failure.alert_id);
    }
  }

  // To make room for the next outage. Should the post get lost, the Alertmanager goes on from the one to the
  // other.
  void end_now(const LinkFailure& failure) {
    if (!failure.resolved_at) decision_.plan.resolved.push_back(failure.alert_id);
    if (stands_there(failure)) post_resolved(failure, false);
  }

  const LinkConditions& conditions_;
  LinkDecision decision_;
};

}  // namespace

bool is_silent(const systems::System& system, Time now, Duration timeout) {
  return system.status == "inactive" && !system.deleted_at && !system.suspended_at &&
         !system.organization.deleted_at && !system.organization.suspended_at &&
         !(system.last_heartbeat && *system.last_heartbeat >= now - timeout);
}

LinkDecision decide_links(std::span<const LinkState> states, const LinkConditions& conditions) {
  Decider decider(conditions);
  for (const LinkState& state : states) decider.decide(state);
  return std::move(decider).done();
}

FleetMood mood_of(std::size_t active, std::size_t fresh) {
  const std::size_t fleet = active + fresh;
  if (fresh >= kLeastSilent && 2 * fresh >= fleet) return FleetMood::silent;
  return fresh >= kLeastUneasy && kUneasyOneIn * fresh >= fleet ? FleetMood::uneasy : FleetMood::calm;
}

}  // namespace collect::liveness
