// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again: doubling, with jitter so that many who failed together do not return
// together.
#pragma once

#include <algorithm>
#include <random>

#include "base/clock.h"

namespace collect::queue {

// Used by one thread.
class Backoff {
 public:
  Backoff(Duration least, Duration most) : least_(least), most_(most), next_(least) {}

  // Between half of and the whole of the next step: least, 2 * least, … most.
  Duration next() {
    const Duration step = next_;
    next_ = std::min(most_, next_ * 2);
    return Duration(std::uniform_int_distribution<Duration::rep>(step.count() / 2, step.count())(random_));
  }
  void reset() { next_ = least_; }
  [[nodiscard]] bool fresh() const { return next_ == least_; }

 private:
  Duration least_;
  Duration most_;
  Duration next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace collect::queue
