// SPDX-License-Identifier: Apache-2.0
// What an inventory says about the machine itself: the columns of `systems` and the rows of `applications`.
// Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inventory/intake_store.h"
#include "inventory/recent.h"

namespace collect::inventory {

// The `applications` section of config.yml.
struct ApplicationRules {
  // Placeholders {module_id} {instance_of} {leader_fqdn} {node_fqdn} {fqdn} (the module's first name). A url
  // whose placeholder has no value is left out.
  std::string url_pattern;
  std::set<std::string, std::less<>> system_modules;  // not user-facing, by instance_of

  static Result<ApplicationRules> load(std::string_view yaml, std::string_view origin);
};

struct Derived {
  SystemFacts facts;
  // nullopt: the inventory has no (whole) module list, so nothing is known about applications.
  std::optional<std::vector<Application>> applications;
  std::string fingerprint;                           // equal fingerprints: nothing to write
  ApplicationFingerprints application_fingerprints;  // the same, of each application
};

// Reads ns8, nsec and the older flat form (contract section 4); values that are not valid are left out.
Derived derive(const json::Value& document, const ApplicationRules& rules);

}  // namespace collect::inventory
