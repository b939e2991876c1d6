// SPDX-License-Identifier: Apache-2.0
// Finds work that the database shows as unfinished and no queue holds any more (a lost Redis, a process that
// died between two stages), and queues it again. Effects are single, so a job too many costs a look and
// nothing else.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "queue/queue.h"

namespace collect::queue {

class Sweeper {
 public:
  // Jobs for what has been unfinished since before `before`, oldest first, at most `limit`.
  using Find = std::function<Result<std::vector<Onward>>(Time before, std::size_t limit)>;

  // The queue and the clock outlive it. `stage` is where the jobs go.
  Sweeper(Queue& queue, Stage stage, Find find, const Clock& clock);

  // One round; call it every minute or so. An empty queue means that whatever is unfinished for half a minute
  // was lost; behind a filled one, only what is unfinished for long.
  void sweep();

 private:
  Queue& queue_;
  const Stage stage_;
  Find find_;
  const Clock& clock_;
};

}  // namespace collect::queue
