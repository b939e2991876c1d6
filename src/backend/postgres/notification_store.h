// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/notification_store.h"
#include "backend/postgres/pool.h"

namespace collect::postgres {

// Three round trips for a plan() and four for a claim(), however much is in them.
class NotificationStore final : public alerts::NotificationStore {
 public:
  explicit NotificationStore(Pool& pool) : pool_(pool) {}
  Result<std::size_t> plan(std::string_view channel, Time recent_since, std::size_t limit, Time now,
                           const alerts::PlanDeliveries& plan) override;
  Result<std::vector<alerts::Delivery>> claim(std::string_view channel, Time now, Time until,
                                              std::size_t limit) override;
  Result<void> finish(std::string_view delivery_id, const alerts::Attempted& attempted, Time now) override;
  Result<std::vector<alerts::ListedDelivery>> list(std::optional<alerts::DeliveryState> state,
                                                   std::size_t limit) override;
  Result<std::size_t> retry(std::optional<std::string> delivery_id, Time now) override;
  Result<std::vector<alerts::ChannelDepth>> depths() override;

 private:
  Pool& pool_;
};

}  // namespace collect::postgres
