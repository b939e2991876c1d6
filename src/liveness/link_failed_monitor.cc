// SPDX-License-Identifier: Apache-2.0
#include "liveness/link_failed_monitor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace collect::liveness {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kToldAtOnce = 500;  // one transaction

}  // namespace

LinkFailedMonitor::LinkFailedMonitor(LinkFailureStore& store, alertmanager::TenantClient& client, Rules rules,
                                     Wake wake, Options options)
    : store_(store),
      client_(client),
      rules_(std::move(rules)),
      wake_(std::move(wake)),
      options_(std::move(options)) {}

Result<LinkRound> LinkFailedMonitor::run(Time now) {
  const std::lock_guard lock(mutex_);
  const auto rules = rules_();
  LinkRound round;
  LinkPosts posts(options_.alerts_per_post);
  std::vector<Untold> untold;
  std::size_t fresh = 0;
  auto outcome = review(now, rules, round, posts, untold, fresh);
  // Half a fleet must not look like a whole one.
  if (outcome) outcome = tell(now, rules, std::move(untold), fresh, round);
  post(posts.take(), round);
  if (!outcome && !store_failing_)
    log::warn("link_failed_monitor_failed", {{"error", outcome.failure().message}});
  if (outcome && store_failing_) log::info("link_failed_monitor_recovered");
  store_failing_ = !outcome.ok();
  if (round.begun + round.resolved + round.told > 0)
    log::info("link_failed", {{"silent", round.silent},
                              {"begun", round.begun},
                              {"resolved", round.resolved},
                              {"told", round.told}});
  if (!outcome) return outcome.failure();
  return round;
}

Result<void> LinkFailedMonitor::review(Time now, const alerts::NotificationRules& rules, LinkRound& round,
                                       LinkPosts& posts, std::vector<Untold>& untold, std::size_t& fresh) {
  const LinkConditions conditions{.now = now,
                                  .timeout = options_.timeout,
                                  .fresh_since = now - options_.timeout - options_.interval,
                                  .has_alertmanager = client_.has_url(),
                                  .message = [&](const systems::System& system) {
                                    auto news = rules.link_failed(system);
                                    return LinkMessage{std::move(news.message), news.severity};
                                  }};
  SystemId after;
  while (!stopping_) {
    LinkDecision decision;
    const auto reviewed =
        store_.review(after, options_.systems_per_page, now, [&](std::span<const LinkState> states) {
          decision = decide_links(states, conditions);
          return decision.plan;
        });
    if (!reviewed) return reviewed.failure();
    if (!reviewed->last) return {};
    after = *reviewed->last;
    posts.add(decision.posts);
    for (std::size_t i = 0; i < decision.begun.size(); ++i) {
      untold.push_back(std::move(decision.begun[i]));
      untold.back().alert_id = reviewed->begun.at(i);
    }
    std::move(decision.untold.begin(), decision.untold.end(), std::back_inserter(untold));
    fresh += decision.fresh;
    round.silent += decision.silent;
    round.begun += decision.plan.begun.size();
    round.resolved += decision.plan.resolved.size();
    counters_.begun += decision.plan.begun.size();
    counters_.resolved += decision.plan.resolved.size();
  }
  return unavailable("the service is stopping");
}

Result<void> LinkFailedMonitor::tell(Time now, const alerts::NotificationRules& rules,
                                     std::vector<Untold> untold, std::size_t fresh, LinkRound& round) {
  const auto count = store_.count();
  if (!count) return count.failure();
  round.mood = mood_of(count->active, fresh);
  note_mood(round.mood, fresh, count->active + fresh);
  if (round.mood == FleetMood::silent) {
    for (Untold& one : untold) one.organization_id = OrganizationId(std::string(alerts::kWholeFleet));
  } else if (round.mood == FleetMood::uneasy) {
    std::erase_if(untold, [&](const Untold& one) { return one.noticed > now - options_.interval; });
  }
  for (std::size_t from = 0; from < untold.size(); from += kToldAtOnce) {
    const auto some = std::span(untold).subspan(from, std::min(kToldAtOnce, untold.size() - from));
    const auto told = store_.tell(some, rules.link_failed_channels(), now);
    if (!told) return told.failure();
    round.told += *told;
  }
  if (wake_ && round.told + round.resolved > 0) wake_();
  return {};
}

void LinkFailedMonitor::note_mood(FleetMood mood, std::size_t silent, std::size_t fleet) {
  const bool now_silent = mood == FleetMood::silent;
  if (counters_.fleet_silent.exchange(now_silent) == now_silent) return;
  if (now_silent) {
    log::warn("fleet_silent",
              {{"silent", silent}, {"of", fleet}, {"advice", "look at Collect's own network first"}});
  } else {
    log::info("fleet_silent_over");
  }
}

void LinkFailedMonitor::post(const std::map<std::string, std::vector<LinkBatch>>& tenants, LinkRound& round) {
  const auto deadline = Steady::now() + options_.interval * 4 / 5;
  std::set<std::string> failing;
  // Who did not answer in the last round may take the others' time in this one.
  for (const bool failed_before : {false, true}) {
    for (const auto& [tenant, batches] : tenants) {
      if (failing_tenants_.contains(tenant) != failed_before) continue;
      if (!post_tenant(tenant, batches, deadline, round)) failing.insert(tenant);
    }
  }
  counters_.posted += round.posted;
  counters_.failed += round.failed;
  note_failures(std::move(failing), round.failed);
}

bool LinkFailedMonitor::post_tenant(const std::string& tenant, const std::vector<LinkBatch>& batches,
                                    Steady::time_point deadline, LinkRound& round) {
  bool all = true;
  bool answers = true;
  for (const LinkBatch& batch : batches) {
    auto left = std::chrono::duration_cast<milliseconds>(deadline - Steady::now());
    if (options_.time_left) left = std::min(left, options_.time_left());
    // One that refuses some of its alerts may take the next ones.
    if (!answers || stopping_ || left <= milliseconds::zero()) {
      round.failed += batch.alerts;
      all = false;
      continue;
    }
    const auto posted = client_.post_alerts(tenant, batch.body, std::min(left, options_.post_timeout));
    if (!posted) {
      error_ = posted.failure().message;
      answers = posted.failure().kind == FailureKind::invalid;
      round.failed += batch.alerts;
      all = false;
      continue;
    }
    round.posted += batch.alerts;
    // Where this fails they are posted once more.
    if (!batch.forget.empty()) (void)store_.forget(batch.forget);
  }
  return all;
}

void LinkFailedMonitor::note_failures(std::set<std::string> failing, std::size_t alerts) {
  if (!failing.empty() && failing != failing_tenants_) {
    log::warn(
        "link_failed_not_posted",
        {{"tenants", failing.size()}, {"tenant", *failing.begin()}, {"alerts", alerts}, {"error", error_}});
  }
  if (failing.empty() && !failing_tenants_.empty()) log::info("link_failed_posted_again");
  failing_tenants_ = std::move(failing);
}

}  // namespace collect::liveness
