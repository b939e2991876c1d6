// SPDX-License-Identifier: Apache-2.0
// How long things took, counted in buckets. Safe from any thread; each number only grows.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace collect {

class Histogram {
 public:
  // Upper bounds in seconds; what takes longer is in the last bucket.
  static constexpr std::array kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,
                                         1.0,   2.5,    5.0,   10.0, 30.0,  60.0, 300., 1800., 21600.};

  // Less than nothing (a clock was put back) counts as nothing.
  void observe(std::chrono::microseconds time) {
    time = std::max(time, std::chrono::microseconds(0));
    const double seconds = std::chrono::duration<double>(time).count();
    const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
    counts_.at(static_cast<std::size_t>(bucket)).fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }

  struct Seen {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double seconds = 0;  // all together
    Seen& operator+=(const Seen& other) {
      for (std::size_t i = 0; i < counts.size(); ++i) counts.at(i) += other.counts.at(i);
      seconds += other.seconds;
      return *this;
    }
  };
  [[nodiscard]] Seen seen() const {
    Seen seen;
    for (std::size_t i = 0; i < counts_.size(); ++i) seen.counts.at(i) = counts_.at(i).load();
    seen.seconds = static_cast<double>(microseconds_.load()) / 1e6;
    return seen;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> microseconds_{0};
};

}  // namespace collect
