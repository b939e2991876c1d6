// SPDX-License-Identifier: Apache-2.0
// config.yml: found, checked as a whole, and replaced while the service runs.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "alerts/notification_rules.h"
#include "base/result.h"
#include "base/settings.h"
#include "diff/rules.h"
#include "inventory/derive.h"

namespace collect::app {

struct Config {
  std::string origin;  // the file's path, or "built-in config.yml"
  std::shared_ptr<const diff::Rules> rules;
  std::shared_ptr<const inventory::ApplicationRules> applications;
  alerts::NotificationRules notifications;
};

// COLLECT_CONFIG, else ./config.yml, else /etc/collect/config.yml, else the built-in one. `invalid` names the
// file, the line and what was expected.
Result<Config> load_config(const Settings& settings);
// The same for a service that is to tell alerts: `invalid`, too, when a channel needs a setting that is
// unset.
Result<Config> load_service_config(const Settings& settings);

// The configuration in force. Thread-safe.
class LiveConfig {
 public:
  explicit LiveConfig(Config config) : config_(std::move(config)) {}
  [[nodiscard]] Config get() const;
  // Loads again; a bad file keeps the rules in force and is logged with the reason: false.
  bool reload(const Settings& settings);

 private:
  mutable std::mutex mutex_;
  Config config_;  // guarded by mutex_
};

}  // namespace collect::app
