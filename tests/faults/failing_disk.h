// SPDX-License-Identifier: Apache-2.0
// A disk that is full or broken for one program, at a moment that a test names: the program is started with
// environment(), and its calls that use files in a folder fail as told.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "faults/failing_calls.h"
#include "support/process.h"

namespace collect::test {

class FailingDisk {
 public:
  enum class Fault {
    full,             // ENOSPC
    broken,           // EIO
    kills,            // the program is gone before the call
    tears_and_kills,  // and half of what was to be written is there
  };

  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  [[nodiscard]] std::map<std::string, std::string> environment() const;

  // The n-th call of these kinds (FailingCalls::kWrites and so on) from now on fails, and while `lasting`
  // each after it.
  void set(const std::filesystem::path& folder, Fault fault, std::int64_t nth, bool lasting = false,
           std::int32_t kinds = FailingCalls::kWrites);
  [[nodiscard]] std::int64_t failed() const { return calls_->failed; }  // since set()
  // All is well again. True when it came to a fault.
  bool unset();

 private:
  TempDir folder_;
  FailingCalls* calls_ = nullptr;
};

}  // namespace collect::test
