// SPDX-License-Identifier: Apache-2.0
// From what config.yml says to a channel that sends.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "alerts/channel.h"
#include "alerts/channel_config.h"

namespace collect::alerts {

struct ChannelSurroundings {
  std::string mimir_url;
  const Clock& clock;  // outlives every channel
};

// Of a delivery, at most `most_shown` alerts are told one by one where people read them.
std::unique_ptr<Channel> make_channel(const ChannelConfig& config, std::size_t most_shown,
                                      const ChannelSurroundings& surroundings);

// How long a send() takes at most.
Duration timeout_of(const ChannelConfig& config);

// Sends a made-up delivery and returns the peer's answer: `collect alerts test`. `about` is the system that
// it names (and whose tenant's Alertmanager hears of it); none: a made-up one. `not_found`: no such channel.
Result<std::string> send_test(const std::map<std::string, ChannelConfig>& channels, const std::string& name,
                              const std::optional<systems::System>& about,
                              const ChannelSurroundings& surroundings);

}  // namespace collect::alerts
