// SPDX-License-Identifier: Apache-2.0
// Renews the leases of a process's claims from one thread, so that long work does not lose them. The lease of
// a worker that hangs is left to end, so that others take its batch over. All functions are safe from any
// thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "queue/queue.h"

namespace collect::queue {

class LeaseKeeper {
 public:
  // Renews every third of `lease`, as long as the worker gave a sign of life within `patience`.
  LeaseKeeper(Queue& queue, Duration lease, Duration patience = std::chrono::minutes(10));
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;

  // A claim whose lease is kept while this lives.
  class Held {
   public:
    Held(Held&&) = default;
    Held& operator=(Held&&) = delete;
    ~Held();
    // Somebody else has the claim now. False while the queue cannot be asked: the fence in settle() decides
    // then.
    // To ask is a sign of life.
    [[nodiscard]] bool lost() const {
      show_life();
      return entry_->lost;
    }
    void show_life() const { entry_->alive_at = Steady::now(); }

   private:
    friend class LeaseKeeper;
    using Steady = std::chrono::steady_clock;
    struct Entry {
      Stage stage;
      WorkerId worker;
      std::atomic<Steady::time_point> alive_at = Steady::now();
      std::atomic<bool> lost = false;
      std::atomic<bool> released = false;
    };
    explicit Held(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    std::shared_ptr<Entry> entry_;
  };
  // The worker has just claimed.
  [[nodiscard]] Held hold(Stage stage, const WorkerId& worker);

 private:
  void run(const std::stop_token& stop);
  void renew(const std::shared_ptr<Held::Entry>& entry);

  Queue& queue_;
  const Duration every_;
  const Duration patience_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<std::weak_ptr<Held::Entry>> entries_;  // guarded by mutex_
  std::jthread thread_;                              // last: it uses the others
};

}  // namespace collect::queue
