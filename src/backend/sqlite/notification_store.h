// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alerts/notification_store.h"
#include "backend/sqlite/database.h"

namespace collect::sqlite {

class NotificationStore final : public alerts::NotificationStore {
 public:
  explicit NotificationStore(Database& database) : database_(database) {}

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
  Database& database_;
};

}  // namespace collect::sqlite
