// SPDX-License-Identifier: Apache-2.0
#include "systems/system.h"

#include <algorithm>

namespace collect::systems {

std::string_view to_string(OrganizationType type) {
  switch (type) {
    case OrganizationType::customer:
      return "customer";
    case OrganizationType::reseller:
      return "reseller";
    case OrganizationType::distributor:
      return "distributor";
    case OrganizationType::owner:
      return "owner";
  }
  return "owner";
}

std::optional<OrganizationType> parse_organization_type(std::string_view text) {
  for (const auto type : {OrganizationType::customer, OrganizationType::reseller,
                          OrganizationType::distributor, OrganizationType::owner}) {
    if (text == to_string(type)) return type;
  }
  return std::nullopt;
}

const Organization* organization_with_id(std::span<const Organization> organizations, std::string_view id) {
  const auto found = std::find_if(organizations.begin(), organizations.end(), [&](const Organization& each) {
    return each.logto_id.text() == id || each.row_id == id;
  });
  return found == organizations.end() ? nullptr : &*found;
}

}  // namespace collect::systems
