// SPDX-License-Identifier: Apache-2.0
// Deliveries as JSON, by POST to a URL, signed. docs/webhook.md says what is in it.
#pragma once

#include <string>

#include "alerts/channel.h"
#include "alerts/channel_config.h"
#include "net/http_client.h"

namespace collect::alerts {

class WebhookChannel final : public Channel {
 public:
  // Of a delivery, at most `most_shown` alerts are listed; the rest is counted.
  WebhookChannel(WebhookChannelConfig config, std::size_t most_shown);
  Result<std::string> send(const Delivery& delivery) override;

 private:
  const WebhookChannelConfig config_;
  const std::size_t most_shown_;
  net::HttpClient client_;
};

// The body of the POST.
std::string webhook_payload(const Delivery& delivery, std::size_t most_shown);

}  // namespace collect::alerts
