// SPDX-License-Identifier: Apache-2.0
// GET /api/health, /api/health/live, /api/health/ready and /metrics.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/router.h"

namespace collect::app {

// What is not ready, one sentence each; empty: all is well. May block.
using Readiness = std::function<std::vector<std::string>()>;

void add_health(net::Router& router, const Readiness& readiness);
void add_metrics(net::Router& router, std::function<std::string()> page);

}  // namespace collect::app
