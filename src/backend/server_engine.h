// SPDX-License-Identifier: Apache-2.0
// PostgreSQL and Redis.
#pragma once

#include <memory>

#include "backend/engine.h"
#include "backend/redis/connection.h"
#include "backend/redis/redis_queue.h"

namespace collect::backend {

// What REDIS_URL, REDIS_DB and REDIS_PASSWORD say together. `invalid` names the setting.
Result<redis::ConnectionOptions> redis_address(const Settings& settings);
// `max_depth` as in its options.
Result<std::unique_ptr<redis::RedisQueue>> open_redis_queue(const Settings& settings,
                                                            std::uint64_t max_depth);
Result<std::unique_ptr<Engine>> open_servers(const Settings& settings, Use use);

}  // namespace collect::backend
