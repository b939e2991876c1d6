// SPDX-License-Identifier: Apache-2.0
#include "base/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/setting_forms.h"

namespace collect {
namespace {

constexpr std::size_t kMinSecretLength = 32;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// "NAME =value", or a byte order mark before it, would name a setting that nobody looks for, and leave the
// default in force without a word.
bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// ---------------------------------------------------------------- one maker per kind of value

using Member = std::string Settings::*;

// What a set value has to look like (setting_forms.h).
using Form = std::function<Result<void>(std::string_view)>;

Form url_of(std::vector<std::string_view> schemes) {
  return [schemes = std::move(schemes)](std::string_view value) { return forms::url(value, schemes); };
}

std::function<Result<void>(Settings&, std::string_view)> assign_text(Member member, Form form) {
  return [member, form = std::move(form)](Settings& settings, std::string_view value) -> Result<void> {
    if (form && !value.empty()) {
      if (auto checked = form(value); !checked) return checked;
    }
    settings.*member = std::string(value);
    return {};
  };
}

SettingDeclaration text(std::string name, Member member, std::string fallback, std::string meaning,
                        std::string bounds = "text", Form form = {}) {
  return {std::move(name),
          "",
          std::move(meaning),
          std::move(fallback),
          std::move(bounds),
          false,
          assign_text(member, std::move(form))};
}

SettingDeclaration secret_url(std::string name, Member member, std::string meaning,
                              std::vector<std::string_view> schemes) {
  return {std::move(name),
          "",
          std::move(meaning),
          "",
          "URL",
          true,
          assign_text(member, url_of(std::move(schemes)))};
}

SettingDeclaration secret(std::string name, Member member, std::string meaning, std::size_t min_length) {
  return {
      std::move(name),
      "",
      std::move(meaning),
      "",
      min_length > 0 ? fmt::format("at least {} characters", min_length) : "text",
      true,
      [member, min_length](Settings& settings, std::string_view value) -> Result<void> {
        if (!value.empty() && value.size() < min_length) {
          return invalid(fmt::format("expected at least {} characters, got {}", min_length, value.size()));
        }
        settings.*member = std::string(value);
        return {};
      }};
}

SettingDeclaration number(std::string name, std::int64_t Settings::*member, std::int64_t fallback,
                          std::int64_t low, std::int64_t high, std::string meaning) {
  return {
      std::move(name),
      "",
      std::move(meaning),
      std::to_string(fallback),
      fmt::format("{} to {}", low, high),
      false,
      [member, low, high](Settings& settings, std::string_view value) -> Result<void> {
        const auto parsed = whole_number(value);
        if (!parsed || *parsed < low || *parsed > high) {
          return invalid(fmt::format("expected a whole number from {} to {}, got \"{}\"", low, high, value));
        }
        settings.*member = *parsed;
        return {};
      }};
}

SettingDeclaration duration(std::string name, std::chrono::milliseconds Settings::*member,
                            std::string fallback, std::string low, std::string high, std::string meaning) {
  return {std::move(name),
          "",
          std::move(meaning),
          std::move(fallback),
          fmt::format("{} to {}", low, high),
          false,
          [member, low, high](Settings& settings, std::string_view value) -> Result<void> {
            const auto parsed = parse_duration(value);
            if (!parsed) return parsed.failure();
            if (*parsed < *parse_duration(low) || *parsed > *parse_duration(high)) {
              return invalid(fmt::format("expected a duration from {} to {}, got \"{}\"", low, high, value));
            }
            settings.*member = *parsed;
            return {};
          }};
}

SettingDeclaration size(std::string name, ByteSize Settings::*member, std::string fallback, std::string low,
                        std::string high, std::string meaning) {
  return {std::move(name),
          "",
          std::move(meaning),
          std::move(fallback),
          fmt::format("{} to {}", low, high),
          false,
          [member, low, high](Settings& settings, std::string_view value) -> Result<void> {
            const auto parsed = parse_byte_size(value);
            if (!parsed) return parsed.failure();
            if (*parsed < *parse_byte_size(low) || *parsed > *parse_byte_size(high)) {
              return invalid(fmt::format("expected a size from {} to {}, got \"{}\"", low, high, value));
            }
            settings.*member = *parsed;
            return {};
          }};
}

SettingDeclaration flag(std::string name, bool Settings::*member, bool fallback, std::string meaning) {
  return {std::move(name),
          "",
          std::move(meaning),
          fallback ? "true" : "false",
          "true or false",
          false,
          [member](Settings& settings, std::string_view value) -> Result<void> {
            if (value != "true" && value != "false") {
              return invalid(fmt::format("expected true or false, got \"{}\"", value));
            }
            settings.*member = value == "true";
            return {};
          }};
}

// One of some words, each standing for a value.
template <class T>
SettingDeclaration choice(std::string name, T Settings::*member, std::string fallback,
                          std::vector<std::pair<std::string, T>> words, std::string meaning) {
  std::string allowed;
  for (const auto& [word, value] : words) allowed += (allowed.empty() ? "" : ", ") + word;
  return {std::move(name),
          "",
          std::move(meaning),
          std::move(fallback),
          allowed,
          false,
          [member, words = std::move(words), allowed](Settings& settings,
                                                      std::string_view value) -> Result<void> {
            if (value.empty()) return {};  // without a fallback: as the member begins
            for (const auto& [word, chosen] : words) {
              if (word == value) {
                settings.*member = chosen;
                return {};
              }
            }
            return invalid(fmt::format("expected one of {}, got \"{}\"", allowed, value));
          }};
}

void add_group(std::vector<SettingDeclaration>& all, const std::string& group,
               std::vector<SettingDeclaration> some) {
  for (SettingDeclaration& declaration : some) {
    declaration.group = group;
    all.push_back(std::move(declaration));
  }
}

// ---------------------------------------------------------------- the declarations

std::vector<SettingDeclaration> declare() {
  using S = Settings;
  std::vector<SettingDeclaration> all;
  add_group(
      all, "Service",
      {text("LISTEN_ADDRESS", &S::listen_address, "127.0.0.1:8081", "Where the API listens.", "host:port",
            forms::address),
       text("METRICS_ADDRESS", &S::metrics_address, "",
            "A listener of its own for /metrics, always plain HTTP; unset: it is served beside the API.",
            "host:port", forms::address),
       text("TLS_CERT_FILE", &S::tls_cert_file, "",
            "Certificate chain (PEM), read again on SIGHUP; unset: plain HTTP, for a proxy in front.",
            "path"),
       text("TLS_KEY_FILE", &S::tls_key_file, "", "The certificate's private key (PEM, without a password).",
            "path"),
       text("TRUSTED_PROXIES", &S::trusted_proxies, "",
            "Proxies whose X-Forwarded-For is believed, separated by commas.", "addresses or networks",
            forms::networks),
       text("APP_ENV", &S::app_env, "dev", "Name of this installation; production insists on real servers."),
       text("COLLECT_DATA_DIR", &S::data_dir, "./data", "Where the embedded engine keeps everything.",
            "path"),
       text("COLLECT_CONFIG", &S::config_file, "",
            "The rules; unset: ./config.yml, /etc/collect/config.yml, else the built-in ones.", "path"),
       choice<log::Level>("LOG_LEVEL", &S::log_level, "info",
                          {{"debug", log::Level::debug},
                           {"info", log::Level::info},
                           {"warn", log::Level::warn},
                           {"error", log::Level::error}},
                          "The least important log lines to write."),
       choice<log::Format>("LOG_FORMAT", &S::log_format, "json",
                           {{"json", log::Format::json}, {"console", log::Format::console}},
                           "json for programs, console for people.")});
  add_group(
      all, "Database and queue servers",
      {secret_url("DATABASE_URL", &S::database_url, "PostgreSQL 15+, postgresql://…; goes with REDIS_URL.",
                  {"postgresql", "postgres"}),
       number("DATABASE_MAX_CONNS", &S::database_max_conns, 10, 2, 1000, "Most connections to PostgreSQL."),
       secret_url("REDIS_URL", &S::redis_url, "Redis 7+, redis://…; goes with DATABASE_URL.",
                  {"redis", "unix"}),
       number("REDIS_DB", &S::redis_db, 1, 0, 15, "Database number in Redis, where REDIS_URL names none."),
       secret("REDIS_PASSWORD", &S::redis_password, "Password for Redis, where REDIS_URL has none.", 0)});
  add_group(
      all, "Appliance API",
      {size("API_MAX_REQUEST_SIZE", &S::api_max_request_size, "10MB", "1KB", "1GB",
            "Largest inventory, after decompression."),
       duration("API_REQUEST_TIMEOUT", &S::api_request_timeout, "30s", "1s", "10m",
                "How long a request may wait for its answer."),
       duration("SYSTEM_AUTH_CACHE_TTL", &S::system_auth_cache_ttl, "10m", "0s", "24h",
                "How long a good log-in is remembered (± 25 %)."),
       number("SYSTEM_SECRET_MIN_LENGTH", &S::system_secret_min_length, 32, 16, 512,
              "Shortest secret part of a system's password."),
       secret("INTERNAL_HMAC_SECRET", &S::internal_hmac_secret,
              "Signs the messages that revoke log-ins; unset: they are taken unsigned.", kMinSecretLength),
       number("HEARTBEAT_TIMEOUT_MINUTES", &S::heartbeat_timeout_minutes, 10, 1, 10080,
              "A system silent for longer is inactive."),
       duration(
           "LINK_FAILED_INTERVAL", &S::link_failed_interval, "5m", "1s", "5m",
           "Between two rounds that tell of inactive systems; an Alertmanager that hears nothing for ten "
           "minutes takes its LinkFailed back."),
       duration(
           "MONITOR_LEASE", &S::monitor_lease, "20s", "1s", "40s",
           "Of several processes one runs the monitors; when it is silent for so long, another goes on.")});
  add_group(
      all, "Queues and workers",
      {text("QUEUE_INVENTORY_NAME", &S::queue_inventory_name, "collect:inventory",
            "Redis list of inventories.", "text", forms::queue_name),
       text("QUEUE_PROCESSING_NAME", &S::queue_processing_name, "collect:processing",
            "Redis list of records to compare.", "text", forms::queue_name),
       text("QUEUE_NOTIFICATION_NAME", &S::queue_notification_name, "collect:notifications",
            "Redis list of changes to tell.", "text", forms::queue_name),
       number("QUEUE_RETRY_ATTEMPTS", &S::queue_retry_attempts, 3, 1, 100,
              "Attempts before a bad message goes to the dead letters."),
       duration("QUEUE_RETRY_DELAY", &S::queue_retry_delay, "5s", "10ms", "1h",
                "Wait before the second attempt; it doubles each time."),
       number("QUEUE_MAX_DEPTH", &S::queue_max_depth, 100000, 100, 100000000,
              "Waiting messages per queue above which new inventories get 503."),
       number("BATCH_PROCESSOR_SIZE", &S::batch_processor_size, 100, 1, 10000, "Most messages a batch."),
       number("WORKER_INVENTORY_COUNT", &S::worker_inventory_count, 2, 1, 64,
              "Threads that store inventories."),
       number("WORKER_PROCESSING_COUNT", &S::worker_processing_count, 2, 1, 64,
              "Threads that compare records."),
       number("WORKER_NOTIFICATION_COUNT", &S::worker_notification_count, 1, 1, 64,
              "Threads that tell changes."),
       duration("WORKER_SHUTDOWN_TIMEOUT", &S::worker_shutdown_timeout, "30s", "1s", "10m",
                "How long a stop waits for work in hand.")});
  add_group(all, "Storage",
            {duration("INVENTORY_CLEANUP_INTERVAL", &S::inventory_cleanup_interval, "6h", "1m", "7d",
                      "How often old records are thinned out."),
             choice<std::string>(
                 "INVENTORY_STORE", &S::inventory_store, "", {{"jsonb", "jsonb"}, {"compact", "compact"}},
                 "How documents are kept: as JSON, or packed in a hundredth of the room. Unset: "
                 "compact on SQLite, jsonb on PostgreSQL. `collect migrate` converts what is there.")});
  add_group(all, "Operator and alerting",
            {secret("OPERATOR_TOKEN", &S::operator_token,
                    "Bearer token of the operator's API; unset: not served.", kMinSecretLength),
             text("MIMIR_URL", &S::mimir_url, "", "Base URL of Mimir or Alertmanager.", "http(s) URL",
                  url_of({"http", "https"})),
             secret("ALERTING_HISTORY_WEBHOOK_SECRET", &S::alerting_history_webhook_secret,
                    "Bearer token of POST /api/alert_history; unset: 503.", kMinSecretLength)});
  add_group(
      all, "Backups",
      {text("S3_ENDPOINT", &S::s3_endpoint, "", "S3 service; unset: a directory.", "http(s) URL",
            url_of({"http", "https"})),
       secret("S3_ACCESS_KEY", &S::s3_access_key, "Access key id.", 0),
       secret("S3_SECRET_KEY", &S::s3_secret_key, "Secret access key.", 0),
       text("BACKUP_S3_REGION", &S::backup_s3_region, "us-east-1", "Region to sign for."),
       text("BACKUP_S3_BUCKET", &S::backup_s3_bucket, "", "Bucket of the backups.", "3 to 63 of a-z 0-9 . -",
            forms::bucket),
       flag("BACKUP_S3_USE_PATH_STYLE", &S::backup_s3_use_path_style, false,
            "Bucket in the path rather than in the host name."),
       flag("BACKUP_S3_ALLOW_INSECURE", &S::backup_s3_allow_insecure, false,
            "Allow plain http to other machines."),
       text("BACKUP_S3_CA_FILE", &S::backup_s3_ca_file, "",
            "Authorities (PEM) whose certificates S3_ENDPOINT may have, beside the system's.", "path"),
       choice<std::string>("BACKUP_S3_ENCRYPTION", &S::backup_s3_encryption, "bucket",
                           {{"bucket", ""}, {"AES256", "AES256"}, {"aws:kms", "aws:kms"}},
                           "How the storage is asked to encrypt; bucket: as the bucket is set up."),
       size("BACKUP_MAX_UPLOAD_SIZE", &S::backup_max_upload_size, "2GB", "1KB", "1024GB", "Largest backup."),
       number("BACKUP_MAX_TRANSFERS", &S::backup_max_transfers, 64, 1, 1000,
              "Uploads and downloads at once; more wait a while or are told to come back."),
       number("BACKUP_MAX_PER_SYSTEM", &S::backup_max_per_system, 10, 1, 10000, "Backups kept per system."),
       size("BACKUP_MAX_SIZE_PER_SYSTEM", &S::backup_max_size_per_system, "500MB", "1KB", "1024GB",
            "Bytes kept per system."),
       size("BACKUP_MAX_SIZE_PER_ORG", &S::backup_max_size_per_org, "100GB", "0", "1048576GB",
            "Bytes kept per organization; 0: no limit."),
       number("BACKUP_RATE_LIMIT_PER_MINUTE", &S::backup_rate_limit_per_minute, 6, 0, 100000,
              "Uploads per system and minute."),
       number("BACKUP_RATE_LIMIT_PER_HOUR", &S::backup_rate_limit_per_hour, 60, 0, 1000000,
              "Uploads per system and hour.")});
  return all;
}

std::vector<std::string> contradictions(const Settings& s) {
  std::vector<std::string> out;
  if (!s.database_url.empty() && s.redis_url.empty()) {
    out.emplace_back(
        "DATABASE_URL is set but REDIS_URL is not: set both, or neither for the embedded engine");
  }
  if (s.database_url.empty() && !s.redis_url.empty()) {
    out.emplace_back(
        "REDIS_URL is set but DATABASE_URL is not: set both, or neither for the embedded engine");
  }
  if (s.app_env == "production" && s.embedded()) {
    out.emplace_back(
        "APP_ENV=production needs DATABASE_URL and REDIS_URL (any other APP_ENV may run embedded)");
  }
  const std::string& inventory = s.queue_inventory_name;
  const std::string& processing = s.queue_processing_name;
  const std::string& notification = s.queue_notification_name;
  if (inventory == processing || processing == notification || inventory == notification) {
    out.emplace_back(
        "QUEUE_INVENTORY_NAME, QUEUE_PROCESSING_NAME and QUEUE_NOTIFICATION_NAME have to differ");
  }
  if (s.tls_cert_file.empty() != s.tls_key_file.empty()) {
    out.emplace_back("TLS_CERT_FILE and TLS_KEY_FILE go together: set both or neither");
  }
  const bool any_s3 = !s.s3_endpoint.empty() || !s.s3_access_key.empty() || !s.s3_secret_key.empty() ||
                      !s.backup_s3_bucket.empty();
  const bool all_s3 = !s.s3_endpoint.empty() && !s.s3_access_key.empty() && !s.s3_secret_key.empty() &&
                      !s.backup_s3_bucket.empty();
  if (any_s3 && !all_s3) {
    out.emplace_back(
        "S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY and BACKUP_S3_BUCKET go together: set all of them, or "
        "none "
        "to keep backups in a directory");
  }
  return out;
}

// Where the package puts the settings. A command then works on what the service works on, wherever it is
// typed; a binary that was built in a folder of sources never touches the installed service's data.
std::optional<std::string> installed_env_file() {
  constexpr const char* kFile = "/etc/collect/collect.env";
  std::error_code error;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || binary != "/usr/bin/collect" || !std::filesystem::exists(kFile, error)) return std::nullopt;
  return kFile;
}

Result<std::vector<std::pair<std::string, std::string>>> env_file(const EnvironmentLookup& environment) {
  const auto named = environment("ENV_FILE");
  const std::string path = named.value_or(".env");
  std::ifstream in(path);
  if (!in) {
    if (named) {
      return invalid(fmt::format(
          "the file of settings \"{}\" (ENV_FILE) does not exist or may not be read by this user", path));
    }
    return std::vector<std::pair<std::string, std::string>>{};
  }
  std::ostringstream content;
  content << in.rdbuf();
  return parse_env_file(content.str(), path);
}

}  // namespace

const std::vector<SettingDeclaration>& setting_declarations() {
  static const std::vector<SettingDeclaration> declarations = declare();
  return declarations;
}

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read before threads start
  if (value != nullptr) return std::string(value);
  return name == "ENV_FILE" ? installed_env_file() : std::nullopt;
}

Result<LoadedSettings> load_settings(const EnvironmentLookup& environment) {
  const auto file = env_file(environment);
  if (!file) return file.failure();
  LoadedSettings out;
  std::vector<std::string> problems;
  for (const SettingDeclaration& declaration : setting_declarations()) {
    SettingSource source{declaration.name, declaration.fallback, SettingSource::Origin::fallback};
    for (const auto& [name, value] : *file) {
      if (name == declaration.name) source = {name, value, SettingSource::Origin::file};
    }
    if (auto value = environment(declaration.name)) {
      source = {declaration.name, *value, SettingSource::Origin::environment};
    }
    // An empty value means "unset", as in most unit and compose files.
    if (source.value.empty())
      source = {declaration.name, declaration.fallback, SettingSource::Origin::fallback};
    if (auto assigned = declaration.assign(out.settings, source.value); !assigned) {
      problems.push_back(fmt::format("{}: {}", declaration.name, assigned.failure().message));
    }
    if (declaration.secret && !source.value.empty()) source.value = "(set)";
    out.sources.push_back(std::move(source));
  }
  // A value that was refused counts as unset, which would contradict others that were set with it.
  if (problems.empty()) problems = contradictions(out.settings);
  if (!problems.empty()) return invalid(fmt::format("{}", fmt::join(problems, "\n")));
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_env_file(std::string_view text,
                                                                        std::string_view origin) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream in{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string::npos || line[start] == '#') continue;
    std::string_view rest = std::string_view(line).substr(start);
    while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t' || rest.back() == '\r'))
      rest.remove_suffix(1);
    if (rest.starts_with("export ")) rest.remove_prefix(7);
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos || !is_name(rest.substr(0, equals))) {
      return invalid(fmt::format("{} line {}: expected NAME=value", origin, number));
    }
    std::string_view value = rest.substr(equals + 1);
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    if (quoted) value = value.substr(1, value.size() - 2);
    out.emplace_back(std::string(rest.substr(0, equals)), std::string(value));
  }
  return out;
}

Result<ByteSize> parse_byte_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = whole_number(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  static constexpr std::pair<std::string_view, unsigned> kUnits[] = {{"", 0},    {"B", 0},   {"KB", 10},
                                                                     {"MB", 20}, {"GB", 30}, {"TB", 40}};
  for (const auto& [name, shift] : kUnits) {
    if (count && unit == name && *count <= (std::numeric_limits<std::int64_t>::max() >> shift)) {
      return ByteSize{static_cast<std::uint64_t>(*count) << shift};
    }
  }
  return invalid(fmt::format("expected a size like 10MB, 512KB or plain bytes, got \"{}\"", text));
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = whole_number(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
  constexpr std::int64_t kLongest = std::int64_t{50} * 366 * 86400000;  // so that "that long ago" is a time
  for (const auto& [name, millis] : kUnits) {
    if (count && unit == name && *count <= kLongest / millis)
      return std::chrono::milliseconds(*count * millis);
  }
  return invalid(fmt::format("expected a duration like 30s, 5m or 6h, got \"{}\"", text));
}

std::string settings_markdown() {
  std::string out =
      "# Settings\n\nFrom the environment or, below it, a `.env` file (`ENV_FILE` names another; "
      "where the package is installed, it is `/etc/collect/collect.env`). "
      "This page is generated: `collect config explain --markdown > docs/settings.md`.\n";
  std::string group;
  for (const SettingDeclaration& d : setting_declarations()) {
    if (d.group != group) {
      group = d.group;
      out += fmt::format("\n## {}\n\n| name | default | allowed | meaning |\n|---|---|---|---|\n", group);
    }
    out += fmt::format("| `{}` | {} | {}{} | {} |\n", d.name,
                       d.fallback.empty() ? "unset" : "`" + d.fallback + "`", d.bounds,
                       d.secret ? " (secret)" : "", d.meaning);
  }
  return out;
}

}  // namespace collect
