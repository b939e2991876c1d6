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
#include "net/mail.h"
#include "net/smtp_client.h"

namespace collect::alerts {

// The service's own log.
struct LogChannelConfig {
  bool operator==(const LogChannelConfig&) const = default;
};

// JSON by POST, signed when there is a secret (docs/webhook.md).
struct WebhookChannelConfig {
  std::string url;           // http or https; what follows the host may be a secret
  std::string secret = {};   // of X-Collect-Signature; empty: not signed
  std::string ca_file = {};  // authorities beside the system's; empty: none
  Duration timeout = std::chrono::seconds(10);
  bool operator==(const WebhookChannelConfig&) const = default;
};

struct EmailChannelConfig {
  std::string host;
  int port = 587;
  net::SmtpSecurity security = net::SmtpSecurity::starttls;
  std::string username;  // empty: no log-in
  std::string password;
  std::string ca_file = {};
  net::Mailbox from;
  std::vector<net::Mailbox> to;  // at least one
  Duration timeout = std::chrono::seconds(30);
  bool operator==(const EmailChannelConfig&) const = default;
};

// The Alertmanager of the organization's tenant, at MIMIR_URL.
struct AlertmanagerChannelConfig {
  // A change has no end of its own: until when it stays there unless it is resolved.
  Duration lasts = std::chrono::hours(24);
  std::string ca_file = {};
  Duration timeout = std::chrono::seconds(10);
  bool operator==(const AlertmanagerChannelConfig&) const = default;
};

using ChannelConfig =
    std::variant<LogChannelConfig, WebhookChannelConfig, EmailChannelConfig, AlertmanagerChannelConfig>;

// The mapping `channels`: name to {type: log|webhook|email|alertmanager, …}:
//   log
//   webhook       url, secret|secret_file, ca_file, timeout (10s)
//   email         host, port (587; 465 with tls, 25 with none), security: starttls|tls|none, username,
//                 password|password_file, ca_file, from, to (one or a list), timeout (30s)
//   alertmanager  lasts (24h), ca_file, timeout (10s)
// A secret or password stands in the file, or in another one that is read now; line ends after it do not
// belong to it. Throws diff::BadConfig, which repeats no secret.
std::map<std::string, ChannelConfig> read_channels(const diff::ConfigEntry& channels);

}  // namespace collect::alerts
