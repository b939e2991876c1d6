// SPDX-License-Identifier: Apache-2.0
// The one place that chooses where backups lie: an S3 bucket, or the folder `backups` of COLLECT_DATA_DIR.
#pragma once

#include <memory>
#include <string>

#include "backups/object_store.h"
#include "base/settings.h"

namespace collect::backend {

// Contacts no server: a bucket that is away shows at the first call. `invalid`: the settings contradict each
// other; `unavailable`: the directory cannot be used.
Result<std::unique_ptr<backups::ObjectStore>> open_object_store(const Settings& settings);

// That the settings of the bucket fit together, and its authorities can be read; touches nothing. `invalid`
// names the setting.
Result<void> check_object_store(const Settings& settings);

// For the banner: "./data/backups" or "bucket collect at https://s3.example.org".
std::string object_store_name(const Settings& settings);

}  // namespace collect::backend
