// SPDX-License-Identifier: Apache-2.0
#include "backend/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "backend/ownership.h"

namespace collect::backend {

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "serve.lock";
  const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) return unavailable(fmt::format("cannot write in {}", directory.string()));
  give_to_owner_of_folder(file);
  std::unique_ptr<DirectoryLock> lock(new DirectoryLock(handle));
  if (::flock(handle, LOCK_EX | LOCK_NB) != 0) {
    return conflict(
        fmt::format("another `collect serve` (or `collect migrate --from`) uses {}: stop it first, or name "
                    "another directory "
                    "(COLLECT_DATA_DIR)",
                    directory.string()));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  ::close(handle_);
}

}  // namespace collect::backend
