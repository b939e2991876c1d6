// SPDX-License-Identifier: Apache-2.0
#include "inventory/budget.h"

#include <algorithm>
#include <cmath>

namespace collect::inventory {

void Budget::refill(Bucket& bucket, Time now) const {
  const auto limit = static_cast<double>(per_minute_);
  const double minutes = std::chrono::duration<double, std::ratio<60>>(now - bucket.filled_at).count();
  bucket.tokens = std::min(limit, bucket.tokens + std::max(0.0, minutes) * limit);
  bucket.filled_at = std::max(bucket.filled_at, now);
}

std::optional<std::chrono::seconds> Budget::take(const SystemId& system_id, Time now) {
  if (per_minute_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= sweep_at_) {
    for (auto& [id, bucket] : buckets_) refill(bucket, now);
    std::erase_if(buckets_,
                  [&](const auto& e) { return e.second.tokens >= static_cast<double>(per_minute_); });
    sweep_at_ = std::max<std::size_t>(1024, buckets_.size() * 2);
  }
  const auto [entry, fresh] = buckets_.try_emplace(system_id, Bucket{static_cast<double>(per_minute_), now});
  Bucket& bucket = entry->second;
  refill(bucket, now);
  if (bucket.tokens < 1) {
    const double seconds = (1 - bucket.tokens) * 60 / static_cast<double>(per_minute_);
    return std::chrono::seconds(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(seconds))));
  }
  bucket.tokens -= 1;
  return std::nullopt;
}

}  // namespace collect::inventory
