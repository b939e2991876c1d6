// SPDX-License-Identifier: Apache-2.0
// A thread of its own that calls one function again and again, for pollers and monitors.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace collect {

class Ticker {
 public:
  // Calls `tick` for the first time after one interval, then one interval after it returned each time. An
  // exception that leaves it is logged under `name`; the next call comes all the same.
  Ticker(std::string name, std::chrono::milliseconds interval, std::function<void()> tick);
  // Waits for a call that is under way, and makes no further one.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Does not wait for the interval to end. Safe to call from any thread; never blocks for long.
  void poke();

 private:
  void work();

  const std::string name_;
  const std::chrono::milliseconds interval_;
  const std::function<void()> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool poked_ = false;     // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace collect
