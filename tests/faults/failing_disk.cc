// SPDX-License-Identifier: Apache-2.0
#include "faults/failing_disk.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

namespace collect::test {
namespace fs = std::filesystem;

namespace {

constexpr const char* kLibrary = "failing_calls.so";
constexpr const char* kPage = "page";

int error_of(FailingDisk::Fault fault) {
  switch (fault) {
    case FailingDisk::Fault::full:
      return ENOSPC;
    case FailingDisk::Fault::broken:
      return EIO;
    case FailingDisk::Fault::kills:
      return FailingCalls::kKill;
    case FailingDisk::Fault::tears_and_kills:
      return FailingCalls::kTearAndKill;
  }
  return EIO;
}

}  // namespace

// Servers run as users of their own, who need not be let into the build's folder.
FailingDisk::FailingDisk() {
  fs::permissions(folder_.path(), fs::perms(0755));
  fs::copy_file(COLLECT_FAILING_LIBRARY, folder_.path() / kLibrary);
  const fs::path file = folder_.path() / kPage;
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  void* page = MAP_FAILED;
  if (fd >= 0 && fchmod(fd, 0666) == 0 && ftruncate(fd, sizeof(FailingCalls)) == 0)
    page = mmap(nullptr, sizeof(FailingCalls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) close(fd);
  if (page == MAP_FAILED) throw std::runtime_error("cannot share memory in " + file.string());
  calls_ = new (page) FailingCalls;
}

FailingDisk::~FailingDisk() {
  munmap(calls_, sizeof(FailingCalls));
}

std::map<std::string, std::string> FailingDisk::environment() const {
  // The address sanitizer wants to be the first library, unless it is told not to.
  const char* options = std::getenv("ASAN_OPTIONS");
  return {
      {"LD_PRELOAD", folder_.path() / kLibrary},
      {"COLLECT_FAILING_CALLS", folder_.path() / kPage},
      {"ASAN_OPTIONS", (options != nullptr ? std::string(options) + ":" : "") + "verify_asan_link_order=0"}};
}

void FailingDisk::set(const fs::path& folder, Fault fault, std::int64_t nth, bool lasting,
                      std::int32_t kinds) {
  const std::string path = fs::weakly_canonical(folder);
  if (path.size() >= sizeof calls_->folder) throw std::runtime_error("too long: " + path);
  unset();
  std::memcpy(calls_->folder, path.c_str(), path.size() + 1);
  calls_->error = error_of(fault);
  calls_->lasting = lasting ? 1 : 0;
  calls_->failed = 0;
  calls_->kinds = kinds;
  calls_->left = nth;
}

bool FailingDisk::unset() {
  calls_->left = FailingCalls::kNever;
  return calls_->failed > 0;
}

}  // namespace collect::test
