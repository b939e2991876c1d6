// SPDX-License-Identifier: Apache-2.0
#include "queue/monitor.h"

#include "base/log.h"

namespace collect::queue {

std::string_view to_string(Health health) {
  switch (health) {
    case Health::healthy:
      return "healthy";
    case Health::warning:
      return "warning";
    case Health::critical:
      return "critical";
  }
  return "critical";
}

namespace {

std::uint64_t pending_of(const Depth& depth) {
  return depth.ready + depth.claimed + depth.delayed;
}

double a_minute(std::uint64_t before, std::uint64_t now, Duration passed) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(passed).count();
  return minutes > 0 ? (static_cast<double>(now) - static_cast<double>(before)) / minutes : 0;
}

}  // namespace

Health health_of(const Depth& depth) {
  const std::uint64_t pending = pending_of(depth);
  if (depth.dead > 100 || pending > 10000) return Health::critical;
  if (depth.dead > 10 || pending > 1000) return Health::warning;
  return Health::healthy;
}

std::optional<Reading> Monitor::read() {
  Reading reading;
  reading.at = clock_.now();
  for (const Stage stage : kStages) {
    const auto depth = queue_.depth(stage);
    if (!depth) {
      log::error("queue_unreadable", {{"stage", to_string(stage)}, {"reason", depth.failure().message}});
      return std::nullopt;
    }
    reading.depths.at(static_cast<std::size_t>(stage)) = *depth;
  }
  return reading;
}

void Monitor::run() {
  const auto reading = read();
  {
    const std::lock_guard lock(mutex_);
    last_ = reading;
  }
  if (!reading) return;
  for (const Stage stage : kStages) {
    const Depth& depth = reading->depths.at(static_cast<std::size_t>(stage));
    const Health health = health_of(depth);
    const auto age =
        depth.oldest_ready ? std::chrono::duration<double>(reading->at - *depth.oldest_ready).count() : 0.0;
    const Seen now{.at = reading->at, .pending = pending_of(depth), .handled = handled_(stage)};
    auto& seen = seen_.at(static_cast<std::size_t>(stage));
    const Seen before = seen.value_or(now);
    seen = now;
    log::write(health == Health::healthy ? log::Level::info : log::Level::warn, "queue_depth",
               {{"stage", to_string(stage)},
                {"health", to_string(health)},
                {"ready", depth.ready},
                {"claimed", depth.claimed},
                {"delayed", depth.delayed},
                {"dead", depth.dead},
                {"oldest_seconds", age},
                {"growth_per_minute", a_minute(before.pending, now.pending, now.at - before.at)},
                {"handled_per_minute", a_minute(before.handled, now.handled, now.at - before.at)}});
  }
}

std::optional<Reading> Monitor::reading(Duration max_age) {
  {
    const std::lock_guard lock(mutex_);
    if (last_ && clock_.now() - last_->at <= max_age) return last_;
  }
  const auto fresh = read();
  const std::lock_guard lock(mutex_);
  last_ = fresh;
  return fresh;
}

}  // namespace collect::queue
