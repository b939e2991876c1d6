// SPDX-License-Identifier: Apache-2.0
#include "queue/lease_keeper.h"

#include <exception>

#include "base/log.h"

namespace collect::queue {

LeaseKeeper::LeaseKeeper(Queue& queue, Duration lease, Duration patience)
    : queue_(queue),
      every_(lease / 3),
      patience_(patience),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

LeaseKeeper::Held::~Held() {
  if (entry_) entry_->released = true;
}

LeaseKeeper::Held LeaseKeeper::hold(Stage stage, const WorkerId& worker) {
  auto entry = std::make_shared<Held::Entry>();
  entry->stage = stage;
  entry->worker = worker;
  const std::lock_guard lock(mutex_);
  entries_.push_back(entry);
  return Held(std::move(entry));
}

void LeaseKeeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::shared_ptr<Held::Entry>> held;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, every_, [] { return false; });
      std::erase_if(entries_, [](const auto& entry) { return entry.expired(); });
      for (const auto& entry : entries_) {
        if (auto alive = entry.lock()) held.push_back(std::move(alive));
      }
    }
    for (const auto& entry : held) {
      if (!stop.stop_requested()) renew(entry);
    }
  }
}

void LeaseKeeper::renew(const std::shared_ptr<Held::Entry>& entry) {
  if (entry->lost || entry->released) return;
  if (Held::Steady::now() - entry->alive_at.load() > patience_) {
    log::error("worker_hangs", {{"stage", to_string(entry->stage)}, {"worker", entry->worker.text}});
    entry->lost = true;
    return;
  }
  try {
    const auto renewed = queue_.renew(entry->stage, entry->worker);
    // A claim that was settled meanwhile has no lease either.
    if (renewed && !*renewed && !entry->released) entry->lost = true;
  } catch (const std::exception& error) {
    log::warn("lease_renewal_failed", {{"stage", to_string(entry->stage)}, {"reason", error.what()}});
  }
}

}  // namespace collect::queue
