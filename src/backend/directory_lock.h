// SPDX-License-Identifier: Apache-2.0
// Holds a directory of the embedded engine for one service, or one move, at a time; the kernel lets go of it
// when the process ends, however it ends.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace collect::backend {

class DirectoryLock {
 public:
  // `conflict`: another one has it; `unavailable`: one cannot write there.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int handle) : handle_(handle) {}
  int handle_;
};

}  // namespace collect::backend
