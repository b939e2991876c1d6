// SPDX-License-Identifier: Apache-2.0
// What the servers' own words mean for what Collect promises. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/finding.h"
#include "backend/postgres/server_facts.h"
#include "backend/redis/connection.h"
#include "base/clock.h"

namespace collect::backend {

// The first says what the server is, those after it what is wrong with it. `wanted`: the connections that a
// process may open, DATABASE_MAX_CONNS.
std::vector<Finding> findings_of(const postgres::ServerFacts& facts, std::int64_t wanted);
std::vector<Finding> findings_of(const redis::ServerFacts& facts);

// `ahead`: of the server's clock, compared with ours.
Finding clock_finding(const std::string& server, Duration ahead);

}  // namespace collect::backend
