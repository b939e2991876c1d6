// SPDX-License-Identifier: Apache-2.0
// What an inventory says about its system, written to systems and applications. Part of intake_store.
#pragma once

#include "backend/sqlite/database.h"
#include "inventory/intake_store.h"

namespace collect::sqlite {

// Both throw Fault; see inventory/intake_store.h for what they promise.
void update_system(Transaction& transaction, const inventory::SystemUpdate& update, Time now);
void sync_applications(Transaction& transaction, const inventory::ApplicationSync& sync);

}  // namespace collect::sqlite
