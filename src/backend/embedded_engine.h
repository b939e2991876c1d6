// SPDX-License-Identifier: Apache-2.0
// SQLite and a directory.
#pragma once

#include <filesystem>
#include <memory>

#include "backend/engine.h"

namespace collect::backend {

std::filesystem::path embedded_database(const Settings& settings);
Result<std::unique_ptr<Engine>> open_embedded(const Settings& settings, Use use, const Clock& clock);

}  // namespace collect::backend
