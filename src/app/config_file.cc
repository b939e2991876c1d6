// SPDX-License-Identifier: Apache-2.0
#include "app/config_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <variant>

#include "base/log.h"
#include "diff/default_config.h"

namespace collect::app {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return invalid(fmt::format("{} (the rules) cannot be read", path));
  return text.str();
}

Result<Config> parse(std::string_view yaml, const std::string& origin) {
  auto rules = diff::Rules::load(yaml, origin);
  if (!rules) return rules.failure();
  auto applications = inventory::ApplicationRules::load(yaml, origin);
  if (!applications) return applications.failure();
  auto notifications = alerts::NotificationRules::load(yaml, origin);
  if (!notifications) return notifications.failure();
  return Config{origin, std::make_shared<const diff::Rules>(std::move(*rules)),
                std::make_shared<const inventory::ApplicationRules>(std::move(*applications)),
                std::move(*notifications)};
}

}  // namespace

Result<Config> load_config(const Settings& settings) {
  std::vector<std::string> candidates;
  if (!settings.config_file.empty()) {
    candidates.push_back(settings.config_file);
  } else {
    for (const char* path : {"./config.yml", "/etc/collect/config.yml"}) {
      std::error_code error;
      if (std::filesystem::exists(path, error)) candidates.emplace_back(path);
    }
  }
  if (candidates.empty()) return parse(diff::default_config(), "built-in config.yml");
  const auto text = read_file(candidates.front());
  if (!text) return text.failure();
  return parse(*text, candidates.front());
}

Result<Config> load_service_config(const Settings& settings) {
  auto config = load_config(settings);
  if (!config || !settings.mimir_url.empty()) return config;
  for (const auto& [name, channel] : config->notifications.channels()) {
    if (!std::holds_alternative<alerts::AlertmanagerChannelConfig>(channel)) continue;
    return invalid(fmt::format(
        "{}: channel '{}' is of type alertmanager, but MIMIR_URL is not set: expected the base URL "
        "of Mimir or of the Alertmanager there; set it, or take the channel out",
        config->origin, name));
  }
  return config;
}

Config LiveConfig::get() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

bool LiveConfig::reload(const Settings& settings) {
  auto loaded = load_service_config(settings);
  if (!loaded) {
    log::error("config_refused", {{"reason", loaded.failure().message}, {"kept", get().origin}});
    return false;
  }
  const std::string origin = loaded->origin;
  {
    const std::lock_guard lock(mutex_);
    config_ = std::move(*loaded);
  }
  log::info("config_loaded", {{"origin", origin}});
  return true;
}

}  // namespace collect::app
