// SPDX-License-Identifier: Apache-2.0
// PORT. Which systems are silent, and the outages that were made of it (table link_failures, each beside its
// row of inventory_alerts: alert_type and rule `link_failed`, no diff).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "liveness/link_failure.h"

namespace collect::liveness {

using DecidePlan = std::function<LinkPlan(std::span<const LinkState>)>;

struct Reviewed {
  std::optional<SystemId> last;        // of this page; none: there are no more systems
  std::vector<alerts::AlertId> begun;  // of the new alerts, in the order of LinkPlan::begun
};

struct FleetCount {
  std::map<std::string, std::uint64_t, std::less<>> by_status;  // systems that are not deleted
  std::uint64_t active = 0;                                     // of these neither suspended
  std::uint64_t link_failed = 0;                                // outages whose alert is not resolved
};

class LinkFailureStore {
 public:
  virtual ~LinkFailureStore() = default;

  // One page, one transaction: of the systems that are inactive and not deleted, and of those with an outage,
  // the `limit` next ones by id after `after` (empty: from the first) are locked and read, in that order;
  // then `decide` is asked and its plan is written, alerts with created_at = now. Those that a resolved alert
  // was told to are told of that, as by AlertStore::resolve(). Two processes that review at once do not make
  // two alerts of one outage.
  virtual Result<Reviewed> review(const SystemId& after, std::size_t limit, Time now,
                                  const DecidePlan& decide) = 0;

  // One transaction: for each outage that is not told and whose alert is not resolved, a notification for
  // each channel that it fires; and all of them are told. How many were not before.
  virtual Result<std::size_t> tell(std::span<const Untold> outages, std::span<const std::string> channels,
                                   Time now) = 0;

  // Outages that are over, by their alerts; the alerts stay.
  virtual Result<void> forget(std::span<const alerts::AlertId> outages) = 0;

  virtual Result<FleetCount> count() = 0;
};

// How labels are kept: a JSON object of texts.
std::string labels_to_json(const systems::Labels& labels);
systems::Labels labels_from_json(std::string_view text);

}  // namespace collect::liveness
