// SPDX-License-Identifier: Apache-2.0
// How many uploads one system may begin: so many in any minute, and so many in any hour.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::backups {

// Thread-safe. Memory follows the uploads of the last hour; each process counts its own.
class RateLimit {
 public:
  // 0: no limit.
  RateLimit(std::int64_t per_minute, std::int64_t per_hour) : per_minute_(per_minute), per_hour_(per_hour) {}

  // Counts one; nullopt: granted. Else how long until the next one would be, at least a second.
  std::optional<std::chrono::seconds> take(const SystemId& system_id, Time now);

 private:
  const std::int64_t per_minute_;
  const std::int64_t per_hour_;
  std::mutex mutex_;
  std::unordered_map<SystemId, std::deque<Time>> begun_;  // in the last hour, oldest first; guarded by mutex_
  std::size_t sweep_at_ = 1024;                           // guarded by mutex_
};

}  // namespace collect::backups
