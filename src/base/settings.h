// SPDX-License-Identifier: Apache-2.0
// The settings: each declared once (settings.cc) with its name, meaning, default, bounds and whether it is
// secret. They come from the environment and, below it, from a file of NAME=value lines.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace collect {

struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

struct Settings {
  std::string listen_address;
  std::string metrics_address;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string trusted_proxies;
  std::string data_dir;
  std::string config_file;
  std::string app_env;
  std::string database_url;
  std::int64_t database_max_conns = 0;
  std::string redis_url;
  std::int64_t redis_db = 0;
  std::string redis_password;
  ByteSize api_max_request_size;
  std::chrono::milliseconds api_request_timeout{};
  std::int64_t heartbeat_timeout_minutes = 0;
  std::chrono::milliseconds link_failed_interval{};
  std::chrono::milliseconds monitor_lease{};
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::json;
  std::string queue_inventory_name;
  std::string queue_processing_name;
  std::string queue_notification_name;
  std::int64_t queue_retry_attempts = 0;
  std::chrono::milliseconds queue_retry_delay{};
  std::int64_t queue_max_depth = 0;
  std::int64_t batch_processor_size = 0;
  std::int64_t worker_inventory_count = 0;
  std::int64_t worker_processing_count = 0;
  std::int64_t worker_notification_count = 0;
  std::chrono::milliseconds worker_shutdown_timeout{};
  std::chrono::milliseconds inventory_cleanup_interval{};
  std::string inventory_store;
  std::chrono::milliseconds system_auth_cache_ttl{};
  std::int64_t system_secret_min_length = 0;
  std::string internal_hmac_secret;
  std::string operator_token;
  std::string mimir_url;
  std::string alerting_history_webhook_secret;
  std::string s3_endpoint;
  std::string s3_access_key;
  std::string s3_secret_key;
  std::string backup_s3_region;
  std::string backup_s3_bucket;
  bool backup_s3_use_path_style = false;
  bool backup_s3_allow_insecure = false;
  std::string backup_s3_ca_file;
  std::string backup_s3_encryption;
  ByteSize backup_max_upload_size;
  std::int64_t backup_max_transfers = 0;
  std::int64_t backup_max_per_system = 0;
  ByteSize backup_max_size_per_system;
  ByteSize backup_max_size_per_org;
  std::int64_t backup_rate_limit_per_minute = 0;
  std::int64_t backup_rate_limit_per_hour = 0;

  // No servers configured: SQLite and a directory.
  [[nodiscard]] bool embedded() const { return database_url.empty() && redis_url.empty(); }
};

// One declaration. `text` is what a person writes: "30s", "10MB", "json|console".
struct SettingDeclaration {
  std::string name;
  std::string group;
  std::string meaning;
  std::string fallback;  // the default, as text; empty: unset
  std::string bounds;    // what is allowed, for people
  bool secret = false;
  std::function<Result<void>(Settings&, std::string_view)> assign;
};

const std::vector<SettingDeclaration>& setting_declarations();

// Where a value came from, for `config explain`.
struct SettingSource {
  std::string name;
  std::string value;  // "(set)" for secrets
  enum class Origin { fallback, file, environment } origin = Origin::fallback;
};

struct LoadedSettings {
  Settings settings;
  std::vector<SettingSource> sources;  // in the order of the declarations
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string&)>;
std::optional<std::string> process_environment(const std::string& name);  // the package's ENV_FILE, too

// `invalid` lists every problem, one line each, naming the setting: never only the first one, never a silent
// default. The file is ENV_FILE, or ".env" where that exists.
Result<LoadedSettings> load_settings(const EnvironmentLookup& environment);

// NAME=value lines; # comments, blank lines, `export ` and one pair of quotes around the value are
// understood.
Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(std::string_view text,
                                                                        std::string_view origin);

// "90", "90B", "512KB", "10MB", "2GB" (powers of 1024).
Result<ByteSize> parse_byte_size(std::string_view text);
// "250ms", "30s", "5m", "6h", "7d".
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// docs/settings.md.
std::string settings_markdown();

}  // namespace collect
