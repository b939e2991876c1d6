// SPDX-License-Identifier: Apache-2.0
// What a PostgreSQL server says about itself, for doctor.
#pragma once

#include <cstdint>
#include <string>

#include "backend/postgres/connection.h"
#include "base/clock.h"
#include "base/result.h"

namespace collect::postgres {

struct ServerFacts {
  std::string version;
  std::int64_t version_number = 0;  // 150018
  bool standby = false;
  bool fsync = true;
  bool full_page_writes = true;
  bool autovacuum = true;
  std::string synchronous_commit;
  std::string encoding;               // of the database
  std::int64_t free_connections = 0;  // for others than superusers, beside the one that asks
  std::uint64_t database_bytes = 0;
  Time now{};  // by its clock
};

// In a session of its own. `unavailable`: no server.
Result<ServerFacts> server_facts(const SessionOptions& options);

}  // namespace collect::postgres
