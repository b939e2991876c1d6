// SPDX-License-Identifier: Apache-2.0
#include "backups/rate_limit.h"

#include <algorithm>

namespace collect::backups {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

void forget(std::deque<Time>& begun, Time before) {
  while (!begun.empty() && begun.front() <= before) begun.pop_front();
}

// When the window that ends now has room again; `now` or earlier: it has.
Time free_at(const std::deque<Time>& begun, std::int64_t limit, Duration window, Time now) {
  if (limit == 0 || begun.size() < static_cast<std::size_t>(limit)) return now;
  return begun[begun.size() - static_cast<std::size_t>(limit)] + window;
}

}  // namespace

std::optional<std::chrono::seconds> RateLimit::take(const SystemId& system_id, Time now) {
  if (per_minute_ == 0 && per_hour_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (begun_.size() >= sweep_at_) {
    for (auto& [id, begun] : begun_) forget(begun, now - hours(1));
    std::erase_if(begun_, [](const auto& entry) { return entry.second.empty(); });
    sweep_at_ = std::max<std::size_t>(1024, begun_.size() * 2);
  }
  std::deque<Time>& begun = begun_[system_id];
  forget(begun, now - hours(1));
  const Time free =
      std::max(free_at(begun, per_minute_, minutes(1), now), free_at(begun, per_hour_, hours(1), now));
  if (free <= now) {
    begun.push_back(now);
    return std::nullopt;
  }
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(free - now));
}

}  // namespace collect::backups
