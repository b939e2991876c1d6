// SPDX-License-Identifier: Apache-2.0
// Deliveries as mails: one digest each, plain text and HTML.
#pragma once

#include "alerts/channel.h"
#include "alerts/channel_config.h"

namespace collect::alerts {

class EmailChannel final : public Channel {
 public:
  EmailChannel(EmailChannelConfig config, std::size_t most_shown);
  Result<std::string> send(const Delivery& delivery) override;

 private:
  const EmailChannelConfig config_;
  const std::size_t most_shown_;
};

}  // namespace collect::alerts
