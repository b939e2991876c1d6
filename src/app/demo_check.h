// SPDX-License-Identifier: Apache-2.0
// What Collect made of a system's reports, against what it should have made of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/demo_fleet.h"
#include "inventory/history_store.h"

namespace collect::app {

// Everything of one system, newest first.
struct Seen {
  std::uint64_t records = 0;
  std::uint64_t compared = 0;  // of those, whose diffs are computed
  std::vector<inventory::Diff> diffs;
};
Result<Seen> look_at(inventory::HistoryStore& history, const SystemId& system_id);

struct Check {
  std::uint64_t events_found = 0;  // all of whose changes are there
  std::uint64_t changes_expected = 0;
  std::vector<std::string> missing;  // "Mail 1.7.12 → 1.7.13 (mail1): update facts.modules.mail1.version"
  std::vector<std::string> unexpected;  // "update facts.modules.mail1.version"
};
// Each diff accounts for one expected change of the same path and type.
Check check(std::span<const fleet::Event> events, std::span<const inventory::Diff> diffs);

}  // namespace collect::app
