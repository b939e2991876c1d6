// SPDX-License-Identifier: Apache-2.0
// Looks at everything that Collect depends on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/finding.h"
#include "base/clock.h"
#include "base/settings.h"

namespace collect::app {

// In the order in which one would look. Changes nothing, but for an object in the bucket of the backups,
// which it removes again. Takes as long as servers that are away let it wait: seconds each.
std::vector<backend::Finding> examine(const Settings& settings, const Clock& clock);

// The parts that need no server.
backend::Finding certificate_finding(const Settings& settings, Time now);
struct Space {
  std::uint64_t free = 0;  // bytes, for those who are not root
  std::uint64_t total = 0;
  bool network = false;  // the file system is another machine's
};
std::vector<backend::Finding> space_findings(const std::string& folder, Space space, bool holds_database);

}  // namespace collect::app
