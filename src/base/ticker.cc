// SPDX-License-Identifier: Apache-2.0
#include "base/ticker.h"

#include <exception>

#include "base/log.h"

namespace collect {

Ticker::Ticker(std::string name, std::chrono::milliseconds interval, std::function<void()> tick)
    : name_(std::move(name)), interval_(interval), tick_(std::move(tick)), thread_([this] { work(); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Ticker::poke() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = true;
  }
  wake_.notify_one();
}

void Ticker::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait_for(lock, interval_, [this] { return poked_ || stopping_; });
    if (stopping_) return;
    poked_ = false;
    lock.unlock();
    try {
      tick_();
    } catch (const std::exception& e) {
      log::error("tick_failed", {{"name", name_}, {"error", e.what()}});
    }
    lock.lock();
  }
}

}  // namespace collect
