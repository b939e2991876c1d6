// SPDX-License-Identifier: Apache-2.0
#include "alerts/channel_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/settings.h"
#include "net/http_client.h"

namespace collect::alerts {
namespace {

using diff::ConfigEntry;

constexpr std::size_t kMaxNameLength = 64;
constexpr std::size_t kMaxSecretBytes = 4096;
constexpr Duration kLeastTimeout = std::chrono::seconds(1);
constexpr Duration kMostTimeout = std::chrono::minutes(2);
constexpr Duration kLeastLasts = std::chrono::minutes(5);
constexpr Duration kMostLasts = std::chrono::days(30);

// The keys of one channel, of which each kind takes its own.
class Keys {
 public:
  Keys(const ConfigEntry& channel, const std::set<std::string>& known) : channel_(channel) {
    for (auto& [name, entry] : channel.members(known)) entries_.emplace(name, std::move(entry));
  }

  [[nodiscard]] const ConfigEntry* find(const std::string& name) const {
    const auto entry = entries_.find(name);
    return entry == entries_.end() ? nullptr : &entry->second;
  }
  [[nodiscard]] const ConfigEntry& require(const std::string& name) const {
    if (const auto* entry = find(name)) return *entry;
    channel_.refuse(fmt::format("expected the key '{}', which is missing", name));
  }

 private:
  const ConfigEntry& channel_;
  std::map<std::string, ConfigEntry> entries_;
};

Duration read_duration(const Keys& keys, const std::string& name, Duration fallback, Duration least,
                       Duration most) {
  const auto* entry = keys.find(name);
  if (entry == nullptr) return fallback;
  const auto duration = parse_duration(entry->text());
  if (!duration || *duration < least || *duration > most) {
    const auto seconds = [](Duration d) {
      return std::chrono::duration_cast<std::chrono::seconds>(d).count();
    };
    entry->expected(fmt::format("a time like 10s or 5m, from {}s to {}s", seconds(least), seconds(most)));
  }
  return *duration;
}

Duration read_timeout(const Keys& keys, Duration fallback) {
  return read_duration(keys, "timeout", fallback, kLeastTimeout, kMostTimeout);
}

std::string read_file(const ConfigEntry& entry) {
  std::ifstream file(entry.text(), std::ios::binary);
  std::string text(kMaxSecretBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  // At the end of a short file `fail` is set too; a folder opens, but nothing can be read from it.
  if (!file.is_open() || file.bad()) entry.refuse(fmt::format("cannot read {}", entry.text()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// The text of `name`, or that of the file which `name`_file names.
std::string read_secret(const Keys& keys, const std::string& name) {
  const auto* text = keys.find(name);
  const auto* file = keys.find(name + "_file");
  if (text != nullptr && file != nullptr)
    file->refuse(fmt::format("expected either {} or {}_file, got both", name, name));
  if (file == nullptr) return text == nullptr ? "" : text->text();
  std::string secret = read_file(*file);
  if (secret.size() > kMaxSecretBytes)
    file->refuse(fmt::format("expected a file of at most {} bytes", kMaxSecretBytes));
  secret.erase(secret.find_last_not_of("\r\n") + 1);
  if (secret.empty()) file->refuse("expected a file with a text in it, got an empty one");
  return secret;
}

std::string read_ca_file(const Keys& keys) {
  const auto* entry = keys.find("ca_file");
  if (entry == nullptr) return "";
  if (read_file(*entry).find("-----BEGIN ") == std::string::npos)
    entry->refuse(fmt::format("expected certificates in PEM form in {}", entry->text()));
  return entry->text();
}

net::Mailbox read_mailbox(const ConfigEntry& entry) {
  auto mailbox = net::parse_mailbox(entry.text());
  if (!mailbox) entry.refuse(mailbox.failure().message);
  return *std::move(mailbox);
}

WebhookChannelConfig read_webhook(const ConfigEntry& channel) {
  const Keys keys(channel, {"type", "url", "secret", "secret_file", "ca_file", "timeout"});
  WebhookChannelConfig config;
  config.url = keys.require("url").text();
  if (const auto checked = net::check_http_url(config.url); !checked)
    keys.require("url").refuse(checked.failure().message);
  config.secret = read_secret(keys, "secret");
  config.ca_file = read_ca_file(keys);
  config.timeout = read_timeout(keys, config.timeout);
  return config;
}

net::SmtpSecurity read_security(const Keys& keys) {
  const auto* entry = keys.find("security");
  if (entry == nullptr || entry->text() == "starttls") return net::SmtpSecurity::starttls;
  if (entry->text() == "tls") return net::SmtpSecurity::tls;
  if (entry->text() != "none") entry->expected("starttls, tls or none");
  return net::SmtpSecurity::none;
}

int read_port(const Keys& keys, net::SmtpSecurity security) {
  if (const auto* entry = keys.find("port")) return static_cast<int>(entry->count(1, 65535));
  if (security == net::SmtpSecurity::tls) return 465;
  return security == net::SmtpSecurity::none ? 25 : 587;
}

std::string read_host(const ConfigEntry& entry) {
  auto host = entry.text();
  // It becomes part of a URL.
  if (host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") !=
      std::string::npos)
    entry.expected("the name or address of a host, without a port");
  return host;
}

EmailChannelConfig read_email(const ConfigEntry& channel) {
  const Keys keys(channel, {"type", "host", "port", "security", "username", "password", "password_file",
                            "ca_file", "from", "to", "timeout"});
  EmailChannelConfig config;
  config.host = read_host(keys.require("host"));
  config.security = read_security(keys);
  config.port = read_port(keys, config.security);
  if (const auto* username = keys.find("username")) config.username = username->text();
  config.password = read_secret(keys, "password");
  if (config.username.empty() != config.password.empty())
    channel.refuse("expected username and password together, got only one of them");
  if (!config.username.empty() && config.security == net::SmtpSecurity::none)
    channel.refuse("a password does not travel in the clear: expected security: starttls or tls, got none");
  config.ca_file = read_ca_file(keys);
  config.from = read_mailbox(keys.require("from"));
  for (const auto& to : keys.require("to").one_or_more()) config.to.push_back(read_mailbox(to));
  if (config.to.empty()) keys.require("to").refuse("expected at least one address, got none");
  config.timeout = read_timeout(keys, config.timeout);
  return config;
}

AlertmanagerChannelConfig read_alertmanager(const ConfigEntry& channel) {
  const Keys keys(channel, {"type", "lasts", "ca_file", "timeout"});
  AlertmanagerChannelConfig config;
  config.lasts = read_duration(keys, "lasts", config.lasts, kLeastLasts, kMostLasts);
  config.ca_file = read_ca_file(keys);
  config.timeout = read_timeout(keys, config.timeout);
  return config;
}

ChannelConfig read_channel(const ConfigEntry& channel) {
  const Keys keys(channel, {});
  const auto& type = keys.require("type");
  const auto kind = type.text();
  if (kind == "webhook") return read_webhook(channel);
  if (kind == "email") return read_email(channel);
  if (kind == "alertmanager") return read_alertmanager(channel);
  if (kind != "log") type.expected("log, webhook, email or alertmanager");
  const Keys none_but(channel, {"type"});
  return LogChannelConfig{};
}

bool is_channel_name(const std::string& name) {
  return name.size() <= kMaxNameLength && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

}  // namespace

std::map<std::string, ChannelConfig> read_channels(const ConfigEntry& channels) {
  std::map<std::string, ChannelConfig> all;
  for (const auto& [name, channel] : channels.members({})) {
    if (!is_channel_name(name))
      channel.refuse(
          fmt::format("expected a name of at most {} small letters, digits, '_' and '-'", kMaxNameLength));
    all.emplace(name, read_channel(channel));
  }
  return all;
}

}  // namespace collect::alerts
