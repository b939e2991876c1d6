// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads and a bounded queue before them, for work that may block.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace collect {

// All functions are safe to call from any thread, also from a job.
class Pool {
 public:
  // At least one thread; `waiting_limit` jobs may wait while all threads are busy (0: hardly any queue at
  // all, a job is taken only while a thread is free).
  Pool(std::size_t threads, std::size_t waiting_limit);
  // Runs what was taken, then joins its threads.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes the job to be run once, in the order of arrival, and returns at once. False: full, the job is
  // dropped. An exception that leaves a job is logged and costs nobody else anything.
  [[nodiscard]] bool try_run(std::function<void()> job);

  // Jobs taken and not begun.
  [[nodiscard]] std::size_t waiting() const;

 private:
  void work();

  const std::size_t waiting_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  std::size_t free_ = 0;                    // threads that run no job; guarded by mutex_
  bool stopping_ = false;                   // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace collect
