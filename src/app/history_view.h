// SPDX-License-Identifier: Apache-2.0
// What `collect inventory` prints about a system: texts for people, JSON for programs.
#pragma once

#include <span>
#include <string>

#include "inventory/history_store.h"
#include "systems/system.h"

namespace collect::app {

std::string records_table(std::span<const inventory::Record> records);
std::string records_json(std::span<const inventory::Record> records);

std::string diffs_table(std::span<const inventory::Diff> diffs);
std::string diffs_json(std::span<const inventory::Diff> diffs);

// Changes by day, newest first. Days are UTC.
std::string timeline_text(const systems::System& system, std::span<const inventory::Diff> diffs);
std::string timeline_json(std::span<const inventory::Diff> diffs);

}  // namespace collect::app
