// SPDX-License-Identifier: Apache-2.0
// Who committed waits here until the write-ahead log is on the disk up to there. One of them syncs for all
// that are in the log by then, while others may already commit. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/result.h"

namespace collect::sqlite {

class LogSync {
 public:
  // Writes all of the log to the disk; false: it may not be there.
  using Sync = std::function<bool()>;
  explicit LogSync(Sync sync) : sync_(std::move(sync)) {}

  // One more commit is in the log: its number, from 1. Called in the order of the log.
  std::uint64_t committed();
  // Until that commit is on the disk. `unavailable`: it is unknown whether it is; so it stays for all later
  // ones until everything_is_kept().
  Result<void> wait(std::uint64_t commit);
  [[nodiscard]] bool failed();
  // What was committed so far lasts without the log. No commit() may run meanwhile.
  void everything_is_kept();

 private:
  const Sync sync_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t committed_ = 0;  // these four are guarded by mutex_
  std::uint64_t synced_ = 0;
  bool syncing_ = false;
  bool failed_ = false;
};

}  // namespace collect::sqlite
