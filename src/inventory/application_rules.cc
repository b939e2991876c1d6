// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "inventory/derive.h"

namespace collect::inventory {
namespace {

Failure at(std::string_view origin, const YAML::Node& node, std::string_view problem) {
  return invalid(fmt::format("{} line {}: {}", origin, node.Mark().line + 1, problem));
}

}  // namespace

Result<ApplicationRules> ApplicationRules::load(std::string_view yaml, std::string_view origin) {
  ApplicationRules rules;
  try {
    const YAML::Node section = YAML::Load(std::string(yaml))["applications"];
    if (!section) return rules;
    if (!section.IsMap()) return at(origin, section, "applications: expected a map");
    for (const auto& entry : section) {
      const auto key = entry.first.as<std::string>();
      if (key == "url_pattern" && entry.second.IsScalar()) {
        rules.url_pattern = entry.second.as<std::string>();
      } else if (key == "system_modules" && entry.second.IsSequence()) {
        for (const auto& module : entry.second) rules.system_modules.insert(module.as<std::string>());
      } else {
        return at(
            origin, entry.first,
            fmt::format("applications.{}: expected url_pattern (a text) or system_modules (a list)", key));
      }
    }
  } catch (const YAML::Exception& error) {
    return invalid(fmt::format("{} line {}: {}", origin, error.mark.line + 1, error.msg));
  }
  return rules;
}

}  // namespace collect::inventory
