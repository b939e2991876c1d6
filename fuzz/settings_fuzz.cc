// SPDX-License-Identifier: Apache-2.0
// base/settings: a file of settings, what each may be, sizes and durations.
#include <map>
#include <string>

#include "base/settings.h"
#include "fuzz/fuzz.h"
#include "net/client_address.h"

namespace collect::fuzz {
namespace {

bool is_name(std::string_view name) {
  for (const char c : name) {
    if (c <= ' ' || c > '~' || c == '=') return false;
  }
  return !name.empty();
}

void hold_amounts(std::string_view text) {
  if (const auto size = parse_byte_size(text)) {
    const auto plain = parse_byte_size(std::to_string(size->bytes));
    hold(plain.ok() && *plain == *size, "a size is its number of bytes");
  }
  if (const auto duration = parse_duration(text)) {
    hold(duration->count() >= 0, "a duration is not negative");
    const auto plain = parse_duration(std::to_string(duration->count()) + "ms");
    hold(plain.ok() && *plain == *duration, "a duration is its number of milliseconds");
  }
}

// Settings that were taken are what was written, and the same a second time.
void hold_settings(const std::map<std::string, std::string>& values) {
  const auto look_up = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "ENV_FILE") return "/dev/null";
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  const auto loaded = load_settings(look_up);
  if (!loaded) {
    hold(loaded.failure().kind == FailureKind::invalid && !loaded.failure().message.empty(),
         "what is refused is the settings' fault, and said");
    return;
  }
  hold(loaded->sources.size() == setting_declarations().size(), "every setting comes from somewhere");
  std::map<std::string, std::string> again;
  for (std::size_t i = 0; i < loaded->sources.size(); ++i) {
    const SettingSource& source = loaded->sources[i];
    const bool secret = setting_declarations()[i].secret;
    const auto written = look_up(source.name).value_or("");
    if (source.origin == SettingSource::Origin::environment)
      hold(secret || source.value == written, "a setting that was taken is the one that was written");
    hold(!secret || source.value.empty() || source.value == "(set)", "no secret is shown");
    again[source.name] = secret ? written : source.value;
  }
  const auto look_up_again = [&](const std::string& name) -> std::optional<std::string> {
    return name == "ENV_FILE" ? std::optional<std::string>("/dev/null") : again.at(name);
  };
  hold(load_settings(look_up_again).ok(), "what is shown is accepted");
  hold(net::TrustedProxies::parse(loaded->settings.trusted_proxies).ok(), "networks can be used");
  hold(loaded->settings.embedded() == loaded->settings.database_url.empty(), "both servers or none");
}

}  // namespace

void run(std::string_view input) {
  hold_amounts(input);
  const auto file = parse_env_file(input, "collect.env");
  if (!file) {
    hold(file.failure().message.starts_with("collect.env line "), "what is wrong is found");
    return;
  }
  std::map<std::string, std::string> values;
  std::string written;
  for (const auto& [name, value] : *file) {
    hold(is_name(name), "a setting has a name that a setting can have");
    hold(value.find('\n') == std::string::npos, "a value is a line");
    written += "export " + name + "=\"" + value + "\" \r\n\n# " + value + "\n";
    // The environment has no such bytes.
    if (value.find('\0') == std::string::npos) values[name] = value;
  }
  hold(parse_env_file(written, "again").value() == *file, "a file is read as it was written");
  hold_settings(values);
}

}  // namespace collect::fuzz
