// SPDX-License-Identifier: Apache-2.0
// The hint that a stage's queue may hold something. Only a hint: who waits, polls as well, so a lost one
// costs a moment and never a message. Only within this process. All functions are safe from any thread.
#pragma once

#include <array>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/clock.h"
#include "queue/message.h"

namespace collect::queue {

class WakeUp {
 public:
  // Wakes one waiter of the stage; if none waits now, the next one will not wait.
  void ring(Stage stage);
  // Returns after ring(), after `most`, or when a stop is requested.
  void wait(Stage stage, Duration most, const std::stop_token& stop);

 private:
  struct Bell {
    std::mutex mutex;
    std::condition_variable_any rung;
    bool pending = false;  // guarded by mutex
  };
  Bell& bell(Stage stage) { return bells_.at(static_cast<std::size_t>(stage)); }
  std::array<Bell, std::size(kStages)> bells_;
};

}  // namespace collect::queue
