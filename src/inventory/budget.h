// SPDX-License-Identifier: Apache-2.0
// How many inventories one system may send: a token bucket each (a burst of one minute's worth, refilled
// evenly).
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "base/ids.h"

namespace collect::inventory {

// Thread-safe. Full buckets are forgotten, so memory follows the systems that sent something in the last
// minute.
class Budget {
 public:
  // 0: no limit.
  explicit Budget(std::int64_t per_minute) : per_minute_(per_minute) {}

  // Takes one; nullopt: granted. Else how long until the next one would be.
  std::optional<std::chrono::seconds> take(const SystemId& system_id, Time now);

 private:
  struct Bucket {
    double tokens = 0;
    Time filled_at{};
  };
  void refill(Bucket& bucket, Time now) const;

  const std::int64_t per_minute_;
  std::mutex mutex_;
  std::unordered_map<SystemId, Bucket> buckets_;  // guarded by mutex_
  std::size_t sweep_at_ = 1024;                   // guarded by mutex_
};

}  // namespace collect::inventory
