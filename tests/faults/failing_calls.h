// SPDX-License-Identifier: Apache-2.0
// What a test and the library that it puts before a program's system calls (failing_calls.cc) have in common:
// a page of shared memory in the file that COLLECT_FAILING_CALLS names.
#pragma once

#include <atomic>
#include <cstdint>

namespace collect::test {

struct FailingCalls {
  static constexpr std::int64_t kNever = std::int64_t{1} << 40;
  static constexpr std::int32_t kKill = 0;          // the program ends instead of the call
  static constexpr std::int32_t kTearAndKill = -1;  // half of a write is done, then it ends

  // Bits of `kinds`.
  static constexpr std::int32_t kWrites = 1;  // also what truncates, renames or syncs
  static constexpr std::int32_t kReads = 2;
  static constexpr std::int32_t kOpens = 4;
  static constexpr std::int32_t kRemovals = 8;
  static constexpr std::int32_t kLocks = 16;  // what takes one; giving one back does not fail
  static constexpr std::int32_t kAllButWrites = kReads | kOpens | kRemovals | kLocks;

  // Counted down by each call of these kinds on a file whose path begins with `folder`; the one that makes it
  // zero fails, and each after it while `lasting`.
  std::atomic<std::int64_t> left = kNever;
  std::atomic<std::int32_t> kinds = kWrites;
  std::atomic<std::int32_t> error = 0;  // errno, kKill or kTearAndKill
  std::atomic<std::int32_t> lasting = 0;
  std::atomic<std::int64_t> failed = 0;
  char folder[1024] = {};
};

}  // namespace collect::test
