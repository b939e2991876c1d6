// SPDX-License-Identifier: Apache-2.0
#include "app/workers.h"

#include <fmt/format.h>

namespace collect::app {

StageWorkers::StageWorkers(queue::Stage stage, std::size_t threads, queue::Queue& queue,
                           queue::Handler& handler, queue::LeaseKeeper& leases, queue::WakeUp& wake_up,
                           const Clock& clock, const Settings& settings)
    : stage_(stage) {
  queue::ConsumerOptions options;
  options.stage = stage;
  options.limits.messages = static_cast<std::size_t>(settings.batch_processor_size);
  options.most_ahead = 2 * options.limits.messages;
  options.max_attempts = static_cast<int>(settings.queue_retry_attempts);
  options.retry_delay = settings.queue_retry_delay;
  // The rest of the shutdown time is for settling and closing.
  options.stop_grace = settings.worker_shutdown_timeout * 4 / 5;
  for (std::size_t i = 0; i < threads; ++i) {
    std::string name = fmt::format("{}-{}", queue::to_string(stage), i);
    const queue::WorkerId id = queue::this_worker(name);
    workers_.push_back({std::move(name), std::make_unique<queue::Consumer>(queue, handler, leases, wake_up,
                                                                           clock, id, options)});
  }
  for (const Worker& worker : workers_) {
    threads_.emplace_back(
        [&consumer = *worker.consumer](const std::stop_token& stop) { consumer.run(stop); });
  }
}

StageWorkers::~StageWorkers() = default;

void StageWorkers::request_stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

}  // namespace collect::app
