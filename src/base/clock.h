// SPDX-License-Identifier: Apache-2.0
// Time as a value. All times are UTC with microseconds; text is RFC 3339 ("2026-01-02T03:04:05.678901Z").
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace collect {

using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

std::string to_rfc3339(Time time);
// Any offset, zero to nine fraction digits (cut to six), years 1 to 9999, in UTC, too.
Result<Time> parse_rfc3339(std::string_view text);

// Where "now" comes from. Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override;
};

// Stands still until told: for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}
  [[nodiscard]] Time now() const override;
  void set(Time now);
  void advance(Duration by);

 private:
  mutable std::mutex mutex_;
  Time now_;  // guarded by mutex_
};

}  // namespace collect
