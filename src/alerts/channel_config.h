// SPDX-License-Identifier: Apache-2.0
// What config.yml says about a channel: where it leads and how it logs in.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "diff/config_entry.h"

namespace collect::alerts {

// One line of the service's own log.
struct LogChannelConfig {};

// JSON by POST, signed when there is a secret.
struct WebhookChannelConfig {
  std::string url;     // http or https
  std::string secret;  // of X-Collect-Signature; empty: not signed
  Duration timeout = std::chrono::seconds(10);
};

struct EmailChannelConfig {
  std::string host;
  int port = 587;
  enum class Security { starttls, tls, none } security = Security::starttls;
  std::string username;  // empty: no log-in
  std::string password;
  std::string from;
  std::vector<std::string> to;  // at least one
  Duration timeout = std::chrono::seconds(30);
};

// The Alertmanager of the organization's tenant, at MIMIR_URL.
struct AlertmanagerChannelConfig {
  // A change has no end of its own: until when it stays there unless it is resolved.
  Duration lasts = std::chrono::hours(24);
  Duration timeout = std::chrono::seconds(10);
};

using ChannelConfig =
    std::variant<LogChannelConfig, WebhookChannelConfig, EmailChannelConfig, AlertmanagerChannelConfig>;

// The mapping `channels`: name to {type: log|webhook|email|alertmanager, …}. A secret or password stands in
// the file, or in another file that `secret_file` or `password_file` names. Throws diff::BadConfig.
std::map<std::string, ChannelConfig> read_channels(const diff::ConfigEntry& channels);

}  // namespace collect::alerts
