// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/certificate.h"
#include "app/commands.h"
#include "app/config_file.h"
#include "app/terminal.h"
#include "backend/object_stores.h"
#include "base/json.h"
#include "diff/default_config.h"

namespace collect::app {
namespace {

std::string_view origin_words(SettingSource::Origin origin) {
  switch (origin) {
    case SettingSource::Origin::fallback:
      return "default";
    case SettingSource::Origin::file:
      return "file";
    case SettingSource::Origin::environment:
      return "environment";
  }
  return "default";
}

std::string explain_json(const std::vector<SettingSource>& sources) {
  const auto& declarations = setting_declarations();
  json::Writer writer;
  writer.begin_array();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    writer.begin_object().member("name", sources[i].name).member("value", sources[i].value);
    writer.member("origin", origin_words(sources[i].origin)).member("default", declarations[i].fallback);
    writer.member("allowed", declarations[i].bounds).member("secret", declarations[i].secret);
    writer.member("meaning", declarations[i].meaning).end_object();
  }
  writer.end_array();
  return std::move(writer).text();
}

std::string explain_table(const std::vector<SettingSource>& sources) {
  const auto& declarations = setting_declarations();
  std::string out;
  std::string group;
  Table table({});
  const auto flush = [&] {
    if (!group.empty()) out += coloured(group, Colour::green) + "\n" + table.text("  ") + "\n";
    table = Table({});
  };
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (declarations[i].group != group) {
      flush();
      group = declarations[i].group;
    }
    table.add({{sources[i].name},
               {sources[i].value.empty() ? "unset" : sources[i].value},
               {std::string(origin_words(sources[i].origin)), Colour::dim},
               {declarations[i].meaning, Colour::dim}});
  }
  flush();
  return out;
}

}  // namespace

Exit explain_config(const ConfigArguments& arguments) {
  if (arguments.markdown) {
    fmt::print("{}", settings_markdown());
    return Exit::ok;
  }
  const auto loaded = load_settings(process_environment);
  if (!loaded) return fail(loaded.failure());
  fmt::print("{}", arguments.json ? explain_json(loaded->sources) + "\n" : explain_table(loaded->sources));
  return Exit::ok;
}

// All are checked before anything is said, so that one run shows all that is wrong.
Exit check_config() {
  const auto loaded = load_settings(process_environment);
  if (!loaded) fmt::print(stderr, "collect: settings:\n{}\n", loaded.failure().message);
  const auto config = loaded ? load_service_config(loaded->settings) : load_config({});
  if (!config) fmt::print(stderr, "collect: {}\n", config.failure().message);
  const auto certificate = load_certificate(loaded ? loaded->settings : Settings{});
  if (!certificate) fmt::print(stderr, "collect: {}\n", certificate.failure().message);
  const auto storage = loaded ? backend::check_object_store(loaded->settings) : Result<void>();
  if (!storage) fmt::print(stderr, "collect: {}\n", storage.failure().message);
  if (!loaded || !config || !certificate || !storage) return Exit::usage;
  fmt::print("settings ok\n{} ok\n", config->origin);
  if (*certificate != nullptr) {
    fmt::print("certificate ok, ends at {}\n", to_rfc3339((*certificate)->ends_at()));
  }
  return Exit::ok;
}

Exit print_default_config() {
  fmt::print("{}", diff::default_config());
  return Exit::ok;
}

}  // namespace collect::app
