// SPDX-License-Identifier: Apache-2.0
// Deliveries as alerts in the Alertmanager of each system's tenant. An alert has a label alert_id, so the
// same one is the same there however often it is told; it ends when it is resolved, or after a while of its
// own.
#pragma once

#include <string>

#include "alertmanager/tenant_client.h"
#include "alerts/channel.h"
#include "alerts/channel_config.h"
#include "base/clock.h"

namespace collect::alerts {

class AlertmanagerChannel final : public Channel {
 public:
  // `mimir_url` is MIMIR_URL; with an empty one every send() is `unavailable` and says so. `clock` must
  // outlive the channel.
  AlertmanagerChannel(AlertmanagerChannelConfig config, std::string mimir_url, const Clock& clock);
  Result<std::string> send(const Delivery& delivery) override;

 private:
  const AlertmanagerChannelConfig config_;
  const Clock& clock_;
  alertmanager::TenantClient client_;
};

}  // namespace collect::alerts
