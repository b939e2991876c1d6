// SPDX-License-Identifier: Apache-2.0
// Tells the log once when something outside is away and once when it is back, however many notice. The
// reason, which may name servers, is for the operator: callers answer their clients without it. Thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "base/log.h"

namespace collect {

class Outage {
 public:
  // `what` is the noun of the log's events: "database" tells outage_began and outage_over with what=database.
  explicit Outage(std::string what) : what_(std::move(what)) {}

  void began(std::string_view reason) {
    if (!away_.exchange(true)) log::warn("outage_began", {{"what", what_}, {"reason", reason}});
  }
  void over() {
    if (away_.load(std::memory_order_relaxed) && away_.exchange(false)) {
      log::info("outage_over", {{"what", what_}});
    }
  }

 private:
  const std::string what_;
  std::atomic<bool> away_ = false;
};

}  // namespace collect
