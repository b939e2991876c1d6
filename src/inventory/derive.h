// SPDX-License-Identifier: Apache-2.0
// What an inventory says about the machine itself: the columns of `systems` and the rows of `applications`.
// Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "inventory/intake_store.h"

namespace collect::inventory {

// The `applications` section of config.yml.
struct ApplicationRules {
  // Placeholders {module_id} {instance_of} {leader_fqdn} {node_fqdn} {fqdn} (the module's first name). A url
  // whose placeholder has no value is left out.
  std::string url_pattern;
  std::set<std::string, std::less<>> system_modules;  // not user-facing, by instance_of

  static Result<ApplicationRules> load(std::string_view yaml, std::string_view origin);
};

// One application of a document, not spelled out: mostly its fingerprint says that nothing has to be written.
struct ApplicationOutline {
  std::string module_id;
  std::uint64_t fingerprint = 0;  // of all that is written about it
  const json::Value* module = nullptr;
};

struct Derived {
  SystemFacts facts;
  // By module_id. nullopt: the inventory has no (whole) module list, so nothing is known about applications.
  std::optional<std::vector<ApplicationOutline>> applications;
  std::string fingerprint;  // equal fingerprints: nothing to write

  // As it is written. The document and the rules must still be there.
  [[nodiscard]] Application spell_out(const ApplicationOutline& outline) const;

  std::shared_ptr<const json::Document> document;  // keeps it there; may be empty
  const json::Value* facts_value = nullptr;
  const ApplicationRules* rules = nullptr;
};

// Reads ns8, nsec and the older flat form (contract section 4); values that are not valid are left out.
// Points into both arguments.
Derived derive(const json::Value& document, const ApplicationRules& rules);

}  // namespace collect::inventory
