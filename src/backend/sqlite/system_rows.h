// SPDX-License-Identifier: Apache-2.0
// Rows of systems. All throw Fault.
#pragma once

#include <optional>
#include <string>

#include "backend/sqlite/database.h"
#include "systems/system.h"

namespace collect::sqlite {

// "SELECT … FROM systems s …", to be followed by WHERE. Columns 17 and 18 are the secret's two parts.
const std::string& select_systems();
// All but the organization.
systems::System system_of(const Cursor& row);
// With its organization.
std::optional<systems::System> find_system(Snapshot& snapshot, const SystemId& id);

}  // namespace collect::sqlite
