// SPDX-License-Identifier: Apache-2.0
// What a system is called in an Alertmanager, and whose Alertmanager that is.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "systems/system.h"

namespace collect::systems {

using Labels = std::map<std::string, std::string, std::less<>>;

// The labels that only Collect sets.
inline constexpr std::array<std::string_view, 10> kSystemLabels = {
    "system_key",  "system_id",   "organization_id",   "system_name",      "system_type",
    "system_fqdn", "system_ipv4", "organization_name", "organization_vat", "organization_type"};

// Those of kSystemLabels that are known of this system; none is empty.
Labels labels_of(const System& system);

// The value of X-Scope-OrgID: the organization that manages the system's, else the system's own.
const std::string& tenant_of(const System& system);

}  // namespace collect::systems
