// SPDX-License-Identifier: Apache-2.0
// Who is silent, told: as LinkFailed to the Alertmanagers of the systems' tenants, as alerts to the channels,
// and when half of the fleet is, as one summary to the operator. Contract section 6.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "alertmanager/tenant_client.h"
#include "alerts/notification_rules.h"
#include "base/clock.h"
#include "base/result.h"
#include "liveness/link_failure_store.h"
#include "liveness/link_posts.h"

namespace collect::liveness {

// Each number but fleet_silent only grows; readable from any thread.
struct LinkFailedCounters {
  std::atomic<std::uint64_t> begun{0};     // outages
  std::atomic<std::uint64_t> resolved{0};  // by the system's return, suspension or deletion
  std::atomic<std::uint64_t> posted{0};    // alerts that Alertmanagers took, each time they are refreshed
  std::atomic<std::uint64_t> failed{0};    // alerts that they did not
  std::atomic<bool> fleet_silent{false};   // in the last round
};

struct LinkRound {
  std::size_t silent = 0;
  std::size_t begun = 0;
  std::size_t resolved = 0;
  std::size_t told = 0;    // outages, to the channels
  std::size_t posted = 0;  // alerts
  std::size_t failed = 0;  // alerts
  FleetMood mood = FleetMood::calm;
};

// When Collect was away, nobody becomes inactive for a while (heartbeat_monitor.h), so nobody is told of
// either; what stood before is refreshed at once.
class LinkFailedMonitor {
 public:
  struct Options {
    std::chrono::milliseconds interval{
        std::chrono::minutes(5)};        // how often run() is called: LINK_FAILED_INTERVAL
    std::chrono::minutes timeout{10};    // HEARTBEAT_TIMEOUT_MINUTES
    std::size_t systems_per_page = 500;  // one transaction
    std::size_t alerts_per_post = 200;
    std::chrono::milliseconds post_timeout{10'000};
    // For how long nobody else does rounds: posts end before. Empty: for ever.
    std::function<std::chrono::milliseconds()> time_left = {};
  };
  using Rules = std::function<alerts::NotificationRules()>;  // those in force
  using Wake = std::function<void()>;                        // notifications wait

  // All outlive it. A client without a URL is not asked.
  LinkFailedMonitor(LinkFailureStore& store, alertmanager::TenantClient& client, Rules rules, Wake wake,
                    Options options);

  // One round: the rows first, then the channels, then the Alertmanagers. Safe from any thread, in one
  // process at a time: what an Alertmanager hears last counts. A tenant that does not take its alerts stops
  // nobody else's, and comes last the next time; all of them together have four fifths of the interval. A
  // store that fails is the failure returned; what was found before it is posted all the same. Logged once
  // until it works.
  Result<LinkRound> run(Time now);

  // Another process does the rounds: this one says no more how the fleet is.
  void leave() { counters_.fleet_silent = false; }

  // A round under way ends after the post that it is at.
  void request_stop() { stopping_ = true; }

  [[nodiscard]] const LinkFailedCounters& counters() const { return counters_; }

 private:
  Result<void> review(Time now, const alerts::NotificationRules& rules, LinkRound& round, LinkPosts& posts,
                      std::vector<Untold>& untold, std::size_t& fresh);
  Result<void> tell(Time now, const alerts::NotificationRules& rules, std::vector<Untold> untold,
                    std::size_t fresh, LinkRound& round);
  void post(const std::map<std::string, std::vector<LinkBatch>>& tenants, LinkRound& round);
  bool post_tenant(const std::string& tenant, const std::vector<LinkBatch>& batches,
                   std::chrono::steady_clock::time_point deadline, LinkRound& round);
  void note_mood(FleetMood mood, std::size_t silent, std::size_t fleet);
  void note_failures(std::set<std::string> failing, std::size_t alerts);

  LinkFailureStore& store_;
  alertmanager::TenantClient& client_;
  const Rules rules_;
  const Wake wake_;
  const Options options_;
  LinkFailedCounters counters_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;  // one round at a time
  // All guarded by mutex_.
  std::set<std::string> failing_tenants_;
  std::string error_;  // of the last post that failed
  bool store_failing_ = false;
};

}  // namespace collect::liveness
