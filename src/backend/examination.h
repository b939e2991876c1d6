// SPDX-License-Identifier: Apache-2.0
// The engine as `collect doctor` sees it.
#pragma once

#include <vector>

#include "backend/finding.h"
#include "base/clock.h"
#include "base/settings.h"

namespace collect::backend {

// Asks the servers, or reads the embedded file, and changes nothing. Takes seconds where a server is away,
// and as long as reading it takes for an embedded file.
std::vector<Finding> examine_engine(const Settings& settings, const Clock& clock);

}  // namespace collect::backend
