// SPDX-License-Identifier: Apache-2.0
// PostgreSQL and Redis.
#pragma once

#include <memory>

#include "backend/engine.h"

namespace collect::backend {

Result<std::unique_ptr<Engine>> open_servers(const Settings& settings, Use use);

}  // namespace collect::backend
