// SPDX-License-Identifier: Apache-2.0
#include "systems/labels.h"

namespace collect::systems {

Labels labels_of(const System& system) {
  const Organization& organization = system.organization;
  Labels labels = {{"system_key", system.system_key},
                   {"system_id", system.id.text()},
                   {"organization_id", system.organization_id.text()},
                   {"system_name", system.name},
                   {"system_type", system.type.value_or("")},
                   {"system_fqdn", system.fqdn.value_or("")},
                   {"system_ipv4", system.ipv4_address.value_or("")},
                   {"organization_name", organization.name},
                   {"organization_vat", organization.vat.value_or("")},
                   {"organization_type", std::string(to_string(organization.type))}};
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

const std::string& tenant_of(const System& system) {
  const auto& managed_by = system.organization.managed_by;
  return managed_by && !managed_by->empty() ? *managed_by : system.organization_id.text();
}

}  // namespace collect::systems
