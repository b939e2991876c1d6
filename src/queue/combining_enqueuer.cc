// SPDX-License-Identifier: Apache-2.0
#include "queue/combining_enqueuer.h"

#include <exception>
#include <vector>

#include "base/point.h"

namespace collect::queue {

CombiningEnqueuer::CombiningEnqueuer(Queue& queue, WakeUp& wake_up, Limits limits)
    : queue_(queue), wake_up_(wake_up), limits_(limits) {}

Result<void> CombiningEnqueuer::put(Stage stage, std::string text) {
  Line& line = lines_.at(static_cast<std::size_t>(stage));
  Waiter mine{.text = std::move(text)};
  std::unique_lock lock(line.mutex);
  line.waiters.push_back(&mine);
  while (!mine.done) {
    if (line.led) {
      mine.wake.wait(lock);
    } else {
      lead(stage, line, lock);
    }
  }
  return mine.result;
}

// Writes one batch from the front of the line; the leader's own text may stand too far behind to be in it.
void CombiningEnqueuer::lead(Stage stage, Line& line, std::unique_lock<std::mutex>& lock) {
  line.led = true;
  const auto batch = take_batch(line);
  lock.unlock();
  Result<void> result = internal("the batch was not written");
  try {
    std::vector<std::string> texts;
    texts.reserve(batch.size());
    for (Waiter* waiter : batch) texts.push_back(std::move(waiter->text));
    result = queue_.enqueue(stage, texts);
    if (result) point(to_string(stage), "after_enqueue");
  } catch (const std::exception& error) {
    // The others wait for an answer whatever happened to us.
    result = internal(std::string("enqueueing failed: ") + error.what());
  }
  if (result) {
    wake_up_.ring(stage);
    outage_.over();
  } else {
    outage_.began(result.failure().message);
  }
  lock.lock();
  line.led = false;
  for (Waiter* waiter : batch) {
    waiter->done = true;
    waiter->result = result;
    waiter->wake.notify_one();
  }
  if (!line.waiters.empty()) line.waiters.front()->wake.notify_one();
}

std::deque<CombiningEnqueuer::Waiter*> CombiningEnqueuer::take_batch(Line& line) const {
  std::deque<Waiter*> batch;
  std::size_t bytes = 0;
  while (!line.waiters.empty() && batch.size() < limits_.messages) {
    Waiter* next = line.waiters.front();
    if (!batch.empty() && bytes + next->text.size() > limits_.bytes) break;
    bytes += next->text.size();
    batch.push_back(next);
    line.waiters.pop_front();
  }
  return batch;
}

}  // namespace collect::queue
