// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "diff/config_entry.h"
#include "diff/default_config.h"
#include "inventory/derive.h"

namespace collect::inventory {
namespace {

using diff::ConfigEntry;

ApplicationRules read(const ConfigEntry& section) {
  ApplicationRules rules;
  for (const auto& [name, value] : section.members({"url_pattern", "system_modules"})) {
    if (name == "url_pattern") rules.url_pattern = value.text();
    if (name != "system_modules") continue;
    for (const auto& module : value.items()) rules.system_modules.insert(module.text());
  }
  return rules;
}

}  // namespace

Result<ApplicationRules> ApplicationRules::load(std::string_view yaml, std::string_view origin) {
  const std::pair<std::string_view, std::string_view> sources[] = {
      {yaml, origin}, {diff::default_config(), "the built-in config.yml"}};
  try {
    for (const auto& [text, name] : sources) {
      const auto file = ConfigEntry::parse(text, name);
      if (file.nothing()) continue;
      for (const auto& [section, entry] : file.members({})) {
        if (section == "applications") return read(entry);
      }
    }
  } catch (const diff::BadConfig& error) {
    return invalid(error.what());
  }
  return ApplicationRules{};
}

}  // namespace collect::inventory
