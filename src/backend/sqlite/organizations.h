// SPDX-License-Identifier: Apache-2.0
// The three tables of organizations, read as one. All throw Fault.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "backend/sqlite/database.h"
#include "systems/system.h"

namespace collect::sqlite {

// By logto_id, else by row id; deleted and suspended ones too.
std::optional<systems::Organization> find_organization(Snapshot& snapshot, const OrganizationId& id);
// As above; what is in no table is an owner organization: type owner, no name.
systems::Organization organization_or_owner(Snapshot& snapshot, const OrganizationId& id);
// The ids under which systems may name that organization.
std::array<OrganizationId, 2> names_of_organization(Snapshot& snapshot, const OrganizationId& id);
std::vector<systems::Organization> all_organizations(Snapshot& snapshot);

}  // namespace collect::sqlite
