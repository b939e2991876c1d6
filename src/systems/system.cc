// SPDX-License-Identifier: Apache-2.0
#include "systems/system.h"

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

}  // namespace collect::systems
