// SPDX-License-Identifier: Apache-2.0
// The threads of the three stages.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/settings.h"
#include "queue/consumer.h"

namespace collect::app {

// Consumers of one stage, a thread each, sharing a handler. Destroying it stops and joins them.
class StageWorkers {
 public:
  // All outlive it.
  StageWorkers(queue::Stage stage, std::size_t threads, queue::Queue& queue, queue::Handler& handler,
               queue::LeaseKeeper& leases, queue::WakeUp& wake_up, const Clock& clock,
               const Settings& settings);
  ~StageWorkers();
  StageWorkers(const StageWorkers&) = delete;
  StageWorkers& operator=(const StageWorkers&) = delete;

  // Asks the threads to finish; does not wait.
  void request_stop();

  struct Worker {
    std::string name;  // "inventory-0"
    std::unique_ptr<queue::Consumer> consumer;
  };
  [[nodiscard]] const std::vector<Worker>& workers() const { return workers_; }
  [[nodiscard]] queue::Stage stage() const { return stage_; }

 private:
  const queue::Stage stage_;
  std::vector<Worker> workers_;
  std::vector<std::jthread> threads_;
};

}  // namespace collect::app
