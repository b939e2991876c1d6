// SPDX-License-Identifier: Apache-2.0
// Alerts as lines of the service's own log: "alert" for each one, "alerts_summary" for a summary.
#pragma once

#include "alerts/channel.h"

namespace collect::alerts {

class LogChannel final : public Channel {
 public:
  Result<std::string> send(const Delivery& delivery) override;
};

}  // namespace collect::alerts
