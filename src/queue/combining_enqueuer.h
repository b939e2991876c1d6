// SPDX-License-Identifier: Apache-2.0
// Lets many threads share one enqueue() call, so that a durable write (round trips, an fsync) is paid once
// for all that wait at that moment. Whoever comes while nobody writes leads: it writes for everybody that
// waits. No thread of its own. All functions are safe from any thread.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>

#include "base/outage.h"
#include "base/result.h"
#include "queue/queue.h"
#include "queue/wake_up.h"

namespace collect::queue {

class CombiningEnqueuer {
 public:
  struct Limits {
    std::size_t messages = 256;     // of one enqueue() call
    std::size_t bytes = 8U << 20U;  // of one enqueue() call, unless a single text is larger
  };

  CombiningEnqueuer(Queue& queue, WakeUp& wake_up, Limits limits);
  CombiningEnqueuer(Queue& queue, WakeUp& wake_up) : CombiningEnqueuer(queue, wake_up, Limits()) {}
  CombiningEnqueuer(const CombiningEnqueuer&) = delete;
  CombiningEnqueuer& operator=(const CombiningEnqueuer&) = delete;

  // Returns once the text is in the queue as durably as the engine promises, or with enqueue()'s failure,
  // which then holds for everything that shared the call. Texts of one thread stay in their order.
  Result<void> put(Stage stage, std::string text);

 private:
  struct Waiter {
    std::string text;
    bool done = false;
    Result<void> result = {};
    std::condition_variable wake = {};
  };
  struct Line {
    std::mutex mutex;
    std::deque<Waiter*> waiters;  // guarded by mutex
    bool led = false;             // somebody writes; guarded by mutex
  };

  void lead(Stage stage, Line& line, std::unique_lock<std::mutex>& lock);
  std::deque<Waiter*> take_batch(Line& line) const;

  Queue& queue_;
  WakeUp& wake_up_;
  const Limits limits_;
  std::array<Line, std::size(kStages)> lines_;
  Outage outage_{"inventory queue"};
};

}  // namespace collect::queue
