// SPDX-License-Identifier: Apache-2.0
// What inventories say about systems and their applications, written into `systems` and `applications`. These
// add statements to the transaction; they run with its next flush or commit.
#pragma once

#include <span>

#include "backend/postgres/pool.h"
#include "inventory/intake_store.h"

namespace collect::postgres {

// In the order given, also when a system comes twice.
void add_system_updates(Transaction& transaction, const Schema& schema,
                        std::span<const inventory::SystemUpdate> updates, Time now);
void add_application_syncs(Transaction& transaction, const Schema& schema,
                           std::span<const inventory::ApplicationSync> syncs);

// FOR NO KEY UPDATE on the rows of those systems that exist, always in the same order, so that two batches
// wait for each other but never in a circle. Answers their ids.
void add_system_lock(Transaction& transaction, const Schema& schema, const std::vector<std::string>& ids);

}  // namespace collect::postgres
