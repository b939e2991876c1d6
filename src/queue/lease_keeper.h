// SPDX-License-Identifier: Apache-2.0
// Renews the leases of a process's claims from one thread, so that long work does not lose them. All
// functions are safe from any thread.
#pragma once

#include <atomic>
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
  // Renews every third of `lease`.
  LeaseKeeper(Queue& queue, Duration lease);
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
    [[nodiscard]] bool lost() const { return entry_->lost; }

   private:
    friend class LeaseKeeper;
    struct Entry {
      Stage stage;
      WorkerId worker;
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
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<std::weak_ptr<Held::Entry>> entries_;  // guarded by mutex_
  std::jthread thread_;                              // last: it uses the others
};

}  // namespace collect::queue
