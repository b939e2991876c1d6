// SPDX-License-Identifier: Apache-2.0
#include "alerts/dispatch_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace collect::alerts {
namespace {

constexpr Duration kHour = std::chrono::hours(1);

// What waits about one system.
struct SystemNews {
  SystemId system_id;
  std::vector<const Waiting*> critical;  // oldest first
  std::vector<const Waiting*> all;       // these and the others
};

// One organization's systems, in the order of their oldest notification.
struct OrganizationNews {
  std::vector<SystemNews> systems;
  std::map<SystemId, std::size_t> index;

  SystemNews& of(const SystemId& id) {
    const auto [found, is_new] = index.try_emplace(id, systems.size());
    if (is_new) systems.push_back({id, {}, {}});
    return systems[found->second];
  }
};

// When the systems were last told of anything, or of something critical.
using LastTold = std::map<SystemId, Time>;

// Those that may be told now.
struct Due {
  std::vector<const SystemNews*> systems;
  Time first = Time::max();  // since when one of them is due
  Time latest{};             // the last news about one of them
};

// What an organization was told of late, critical or not.
struct Used {
  std::int64_t in_hour = 0;
  std::int64_t alone_in_hour = 0;
  std::set<SystemId> alone_of_late;  // within kSummaryPause
  std::optional<Time> last_summary;
};

// Half of the hour's notifications at most are kept for summaries, so that a crowd waits minutes, not an
// hour.
std::int64_t kept_for_summaries(std::int64_t limit) {
  return std::min<std::int64_t>(limit / 2, kHour / kSummaryPause);
}
Duration pause_between_summaries(std::int64_t limit) {
  const auto kept = kept_for_summaries(limit);
  return kept > 0 ? std::max(kSummaryPause, kHour / kept) : kHour;
}

class Planner {
 public:
  Planner(const DispatchState& state, const Grouping& grouping, const RateLimits& limits, Time now,
          const std::function<std::string()>& new_id)
      : grouping_(grouping), limits_(limits), now_(now), new_id_(new_id) {
    for (const Waiting& waiting : state.waiting) {
      SystemNews& news = organizations_[waiting.organization_id].of(waiting.system_id);
      news.all.push_back(&waiting);
      if (waiting.critical) news.critical.push_back(&waiting);
    }
    for (const Recent& recent : state.recent) {
      count(recent);
      if (!recent.system_id) continue;
      told_[*recent.system_id] = std::max(told_[*recent.system_id], recent.at);
      if (recent.critical)
        told_critical_[*recent.system_id] = std::max(told_critical_[*recent.system_id], recent.at);
    }
  }

  std::vector<NewDelivery> plan() && {
    for (const bool critical : {true, false}) {
      for (const auto& [organization, news] : organizations_) plan_lane(organization, news, critical);
    }
    return std::move(deliveries_);
  }

 private:
  void count(const Recent& recent) {
    Used& used = used_[{recent.organization_id, recent.critical}];
    const bool in_hour = within(recent.at, kHour);
    if (in_hour) ++used.in_hour;
    if (!recent.system_id) {
      used.last_summary = std::max(used.last_summary.value_or(recent.at), recent.at);
      return;
    }
    if (in_hour) ++used.alone_in_hour;
    if (within(recent.at, kSummaryPause)) used.alone_of_late.insert(*recent.system_id);
  }

  void plan_lane(const OrganizationId& organization, const OrganizationNews& news, bool critical) {
    const Due due = due_systems(news, critical);
    const auto limit = critical ? limits_.max_critical_per_hour : limits_.max_notifications_per_hour;
    const Used& used = used_[{organization, critical}];
    if (due.systems.empty() || used.in_hour >= limit) return;

    const auto count = static_cast<std::int64_t>(due.systems.size());
    // One system is no crowd, however often it was told of.
    std::set<SystemId> of_late = used.alone_of_late;
    for (const SystemNews* system : due.systems) of_late.insert(system->system_id);
    const bool crowd = organization.text() == kWholeFleet ||
                       of_late.size() > static_cast<std::size_t>(grouping_.max_group_size) ||
                       used.alone_in_hour + count > limit - kept_for_summaries(limit) ||
                       count > limit - used.in_hour;
    if (!crowd) {
      for (const SystemNews* system : due.systems)
        deliver(organization, critical, {system}, system->system_id);
    } else if (gathered(due) &&
               (!used.last_summary || !within(*used.last_summary, pause_between_summaries(limit)))) {
      deliver(organization, critical, due.systems, std::nullopt);
    }
  }

  [[nodiscard]] bool gathered(const Due& due) const {
    return !within(due.latest, kGatherQuiet) || !within(due.first, kGatherAtMost);
  }

  [[nodiscard]] Due due_systems(const OrganizationNews& news, bool critical) const {
    const LastTold& told = critical ? told_critical_ : told_;
    Due due;
    for (const SystemNews& system : news.systems) {
      if (critical ? system.critical.empty() : system.all.size() == system.critical.size()) continue;
      if (!critical && taken_along_.contains(&system)) continue;
      const auto last = told.find(system.system_id);
      Time since = (critical ? system.critical : system.all).front()->since;
      if (last != told.end()) {
        if (within(last->second, grouping_.window)) continue;
        since = std::max(since, last->second + grouping_.window);
      }
      due.systems.push_back(&system);
      due.first = std::min(due.first, since);
      due.latest = std::max(due.latest, system.all.back()->since);
    }
    return due;
  }

  void deliver(const OrganizationId& organization, bool critical,
               const std::vector<const SystemNews*>& systems, std::optional<SystemId> system_id) {
    NewDelivery delivery{new_id_(), organization, std::move(system_id), critical, {}};
    for (const SystemNews* system : systems) {
      for (const Waiting* waiting : system->all) {
        if (critical || !waiting->critical) delivery.notifications.push_back(waiting->id);
      }
      if (critical) taken_along_.insert(system);
    }
    deliveries_.push_back(std::move(delivery));
  }

  [[nodiscard]] bool within(Time at, Duration span) const { return at > now_ - span; }

  const Grouping& grouping_;
  const RateLimits& limits_;
  const Time now_;
  const std::function<std::string()>& new_id_;
  std::map<OrganizationId, OrganizationNews> organizations_;
  std::map<std::pair<OrganizationId, bool>, Used> used_;
  LastTold told_;
  LastTold told_critical_;
  std::set<const SystemNews*> taken_along_;
  std::vector<NewDelivery> deliveries_;
};

}  // namespace

Duration recent_span(const Grouping& grouping) {
  return std::max({grouping.window, kHour, kSummaryPause});
}

std::vector<NewDelivery> plan_deliveries(const DispatchState& state, const Grouping& grouping,
                                         const RateLimits& limits, Time now,
                                         const std::function<std::string()>& new_id) {
  return Planner(state, grouping, limits, now, new_id).plan();
}

}  // namespace collect::alerts
