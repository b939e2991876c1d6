// SPDX-License-Identifier: Apache-2.0
#include "liveness/heartbeat_monitor.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/log.h"

namespace collect::liveness {
namespace {

std::string joined(std::span<const SystemId> ids, std::size_t at_most) {
  std::string out;
  for (const SystemId& id : ids.first(std::min(ids.size(), at_most))) {
    if (!out.empty()) out += ',';
    out += id.text();
  }
  if (ids.size() > at_most) out += ",…";
  return out;
}

}  // namespace

HeartbeatMonitor::HeartbeatMonitor(LivenessStore& store, Options options)
    : store_(store), options_(options) {}

Result<Transitions> HeartbeatMonitor::run(Time now) {
  const std::lock_guard lock(mutex_);
  Result<Transitions> outcome = attempt(now);
  if (outcome) {
    own_run_ = now;
    report(*outcome);
    if (failing_) log::info("heartbeat_monitor_recovered");
  } else if (!failing_) {
    log::warn("heartbeat_monitor_failed", {{"error", outcome.failure().message}});
  }
  failing_ = !outcome.ok();
  return outcome;
}

Result<Transitions> HeartbeatMonitor::attempt(Time now) {
  const Result<bool> grace = in_grace(now);
  if (!grace) return grace.failure();
  const Time edge = now - options_.timeout;
  Result<Transitions> transitions = store_.apply(edge, *grace ? std::nullopt : std::optional(edge));
  if (!transitions || *grace) return transitions;
  if (const auto noted = store_.note_run(now); !noted) {
    // The transitions are made and must be told; the missing note at worst means a grace that was not needed.
    log::warn("heartbeat_monitor_note_failed", {{"error", noted.failure().message}});
  }
  return transitions;
}

Result<bool> HeartbeatMonitor::in_grace(Time now) {
  const Result<std::optional<Time>> noted = store_.last_run();
  if (!noted) return noted.failure();
  const std::optional<Time> last = std::max(*noted, own_run_);  // absent is least
  const Duration gap = 3 * options_.interval;
  // A last run well in the future is a clock that was put back: how long nobody watched cannot be told.
  if (!last || now - *last > gap || *last - now > gap) {
    grace_until_ = now + options_.timeout;
    log::info("heartbeat_grace_began", {{"until", to_rfc3339(*grace_until_)},
                                        {"last_run", last ? to_rfc3339(*last) : std::string("never")}});
  }
  if (grace_until_ && now >= *grace_until_) grace_until_.reset();
  return grace_until_.has_value();
}

void HeartbeatMonitor::report(const Transitions& transitions) const {
  const auto tell = [this](std::string_view event, const std::vector<SystemId>& ids) {
    if (ids.empty()) return;
    log::info(event, {{"count", ids.size()}, {"system_ids", joined(ids, options_.ids_logged)}});
  };
  tell("systems_became_active", transitions.activated);
  tell("systems_became_inactive", transitions.deactivated);
}

}  // namespace collect::liveness
