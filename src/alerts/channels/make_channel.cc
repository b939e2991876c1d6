// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/make_channel.h"

#include <fmt/format.h>

#include <vector>

#include "alerts/channels/alertmanager_channel.h"
#include "alerts/channels/email_channel.h"
#include "alerts/channels/log_channel.h"
#include "alerts/channels/webhook_channel.h"

namespace collect::alerts {
namespace {

struct Maker {
  std::size_t most_shown;
  const ChannelSurroundings& surroundings;

  std::unique_ptr<Channel> operator()(const LogChannelConfig&) const {
    return std::make_unique<LogChannel>();
  }
  std::unique_ptr<Channel> operator()(const WebhookChannelConfig& config) const {
    return std::make_unique<WebhookChannel>(config, most_shown);
  }
  std::unique_ptr<Channel> operator()(const EmailChannelConfig& config) const {
    return std::make_unique<EmailChannel>(config, most_shown);
  }
  std::unique_ptr<Channel> operator()(const AlertmanagerChannelConfig& config) const {
    return std::make_unique<AlertmanagerChannel>(config, surroundings.mimir_url, surroundings.clock);
  }
};

struct Timeout {
  Duration operator()(const LogChannelConfig&) const { return std::chrono::seconds(1); }
  template <class Config>
  Duration operator()(const Config& config) const {
    return config.timeout;
  }
};

systems::System made_up_system() {
  systems::System system;
  system.id = SystemId("collect-test");
  system.system_key = "NETH-TEST";
  system.name = "test";
  system.organization_id = OrganizationId("collect-test");
  system.organization.logto_id = system.organization_id;
  system.organization.name = "Test";
  return system;
}

Delivery made_up_delivery(const std::string& channel, const systems::System& system, Time now) {
  DeliveryItem item;
  item.system = system;
  item.alert.system_id = system.id;
  item.alert.alert_type = "collect_test";
  item.alert.message = "This is a test. Collect reaches this channel.";
  item.alert.created_at = now;
  item.alert.updated_at = now;
  Delivery delivery;
  delivery.id = new_uuid_v7(now);
  delivery.channel = channel;
  delivery.organization_id = system.organization_id;
  delivery.created_at = now;
  delivery.items.push_back(std::move(item));
  return delivery;
}

}  // namespace

std::unique_ptr<Channel> make_channel(const ChannelConfig& config, std::size_t most_shown,
                                      const ChannelSurroundings& surroundings) {
  return std::visit(Maker{most_shown, surroundings}, config);
}

Duration timeout_of(const ChannelConfig& config) {
  return std::visit(Timeout{}, config);
}

Result<std::string> send_test(const std::map<std::string, ChannelConfig>& channels, const std::string& name,
                              const std::optional<systems::System>& about,
                              const ChannelSurroundings& surroundings) {
  const auto config = channels.find(name);
  if (config == channels.end()) {
    std::vector<std::string> names;
    for (const auto& [known, ignored] : channels) names.push_back(known);
    return not_found(fmt::format("config.yml has no channel '{}', only: {}", name, fmt::join(names, ", ")));
  }
  const auto system = about ? *about : made_up_system();
  return make_channel(config->second, 1, surroundings)
      ->send(made_up_delivery(name, system, surroundings.clock.now()));
}

}  // namespace collect::alerts
