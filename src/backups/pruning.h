// SPDX-License-Identifier: Apache-2.0
// Which of a system's backups stay, and when the next one is due: pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backups/object_store.h"
#include "base/clock.h"

namespace collect::backups {

struct KeepLimits {
  std::size_t most = 10;         // backups of a system, at least 1
  std::uint64_t most_bytes = 0;  // of all of them together
};

// Those of `stored` (one system's objects, in any order) that have to go, the oldest first. The one under
// `new_key` stays whatever it takes; after it the newest stay until there is one too many or one that does
// not fit, and that and all older ones go. Objects that are no backups are left alone.
std::vector<std::string> beyond(const KeepLimits& limits, std::span<const ObjectEntry> stored,
                                std::string_view new_key);

// Until when a system with these backups (in any order, at least one) is expected to make its next one: twice
// its longest pause, 36 hours at least; 8 days while there are fewer than three to learn from. Pauses say it
// and not a setting, because a fleet has systems that do so nightly and others that do so weekly.
Time expected_by(std::span<const ObjectEntry> stored);

}  // namespace collect::backups
