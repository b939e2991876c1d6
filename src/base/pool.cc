// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"

namespace collect {
namespace {

void run(std::function<void()>& job) {
  try {
    job();
  } catch (const std::exception& problem) {
    log::error("pool_job_failed", {{"error", problem.what()}});
  } catch (...) {
    log::error("pool_job_failed", {{"error", "an exception of unknown type"}});
  }
}

}  // namespace

Pool::Pool(std::size_t threads, std::size_t waiting_limit)
    : waiting_limit_(waiting_limit), free_(std::max<std::size_t>(threads, 1)) {
  const std::size_t count = free_;
  threads_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Pool::try_run(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= waiting_limit_ + free_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

std::size_t Pool::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void Pool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    --free_;
    lock.unlock();
    run(job);
    // What the job holds may be large or may lock something: let it go before taking our own lock again.
    job = nullptr;
    lock.lock();
    ++free_;
  }
}

}  // namespace collect
