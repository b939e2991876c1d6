// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: stands before the system calls with which any program writes files, and lets a chosen one fail.
// So a disk can be full or broken for Collect, PostgreSQL and Redis without a mount, without root, and at any
// one call.
// Where it is set, the C library's header gives pwrite() the name pwrite64(); here each is itself.
#undef _FILE_OFFSET_BITS

#include "faults/failing_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using collect::test::FailingCalls;

FailingCalls* open_page() {
  const char* file = std::getenv("COLLECT_FAILING_CALLS");
  if (file == nullptr) return nullptr;
  const int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* page = mmap(nullptr, sizeof(FailingCalls), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return page == MAP_FAILED ? nullptr : static_cast<FailingCalls*>(page);
}

FailingCalls* page() {
  static FailingCalls* const kPage = open_page();
  return kPage;
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool is_meant(int fd, const char* folder) {
  char link[64];
  char path[1024];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path);
  const std::size_t length = std::strlen(folder);
  return size >= static_cast<ssize_t>(length) && std::strncmp(path, folder, length) == 0;
}

void end_program() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// The errno with which this call fails; 0: it does not. `half` writes half of what was to be written.
template <class Half>
int fate(int fd, Half half) {
  const int before = errno;
  FailingCalls* const calls = page();
  if (calls == nullptr || calls->left >= FailingCalls::kNever || !is_meant(fd, calls->folder)) {
    errno = before;
    return 0;
  }
  errno = before;
  const auto left = --calls->left;
  if (left > 0 || (left < 0 && calls->lasting == 0)) return 0;
  ++calls->failed;
  if (calls->error == FailingCalls::kTearAndKill) half();
  if (calls->error <= 0) end_program();
  return calls->error;
}

constexpr auto kNothing = [] {};

}  // namespace

#define COLLECT_FAILS(fd, half)                       \
  if (const int error = fate(fd, half); error != 0) { \
    errno = error;                                    \
    return -1;                                        \
  }

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto kReal = real<ssize_t (*)(int, const void*, size_t)>("write");
  COLLECT_FAILS(fd, [&] { kReal(fd, bytes, size / 2); })
  return kReal(fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  COLLECT_FAILS(fd, [&] { kReal(fd, bytes, size / 2, at); })
  return kReal(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite64");
  COLLECT_FAILS(fd, [&] { kReal(fd, bytes, size / 2, at); })
  return kReal(fd, bytes, size, at);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev64");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd, parts, count, at);
}

int fsync(int fd) {
  static const auto kReal = real<int (*)(int)>("fsync");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd);
}

int fdatasync(int fd) {
  static const auto kReal = real<int (*)(int)>("fdatasync");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd);
}

int ftruncate(int fd, off_t size) noexcept {
  static const auto kReal = real<int (*)(int, off_t)>("ftruncate");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd, size);
}

int ftruncate64(int fd, off_t size) noexcept {
  static const auto kReal = real<int (*)(int, off_t)>("ftruncate64");
  COLLECT_FAILS(fd, kNothing)
  return kReal(fd, size);
}

}  // extern "C"
