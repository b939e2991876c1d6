// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/log_sync.h"

#include <algorithm>

namespace collect::sqlite {

std::uint64_t LogSync::committed() {
  const std::lock_guard lock(mutex_);
  return ++committed_;
}

Result<void> LogSync::wait(std::uint64_t commit) {
  std::unique_lock lock(mutex_);
  while (synced_ < commit) {
    // The log is read up to its first gap: nothing behind one lasts, however well it was written.
    if (failed_) return unavailable("SQLite's log could not be written to the disk");
    if (syncing_) {
      changed_.wait(lock);
      continue;
    }
    syncing_ = true;
    const std::uint64_t all = committed_;
    lock.unlock();
    const bool kept = sync_();
    lock.lock();
    syncing_ = false;
    if (kept) {
      synced_ = std::max(synced_, all);
    } else {
      failed_ = true;
    }
    changed_.notify_all();
  }
  return {};
}

bool LogSync::failed() {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void LogSync::everything_is_kept() {
  const std::lock_guard lock(mutex_);
  synced_ = committed_;
  failed_ = false;
}

}  // namespace collect::sqlite
