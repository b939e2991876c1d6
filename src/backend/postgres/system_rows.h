// SPDX-License-Identifier: Apache-2.0
// Rows of systems, each with its organization.
#pragma once

#include <string>

#include "backend/postgres/rows.h"
#include "backend/postgres/schema.h"
#include "systems/system.h"

namespace collect::postgres {

// "SELECT … FROM systems s … ", to be followed by WHERE. Columns 17 and 18 are the secret's two parts.
std::string select_systems(const Schema& schema);
systems::System system_at(const Rows& rows, int row);

}  // namespace collect::postgres
