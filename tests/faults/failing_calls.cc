// SPDX-License-Identifier: Apache-2.0
// LD_PRELOAD: stands before the system calls with which any program uses files, and lets a chosen one fail.
// So a disk can be full or broken for Collect, PostgreSQL and Redis without a mount, without root, and at any
// one call.
// Where they are set, the C library's headers give pwrite() the name pwrite64(), and bodies to open() and
// read(); here each is itself.
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "faults/failing_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using collect::test::FailingCalls;

FailingCalls* open_page() {
  const char* file = std::getenv("COLLECT_FAILING_CALLS");
  if (file == nullptr) return nullptr;
  // Not by open(), which is one of those below and would ask for this page.
  const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC));
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

bool begins_with(const char* path, std::size_t size, const char* folder) {
  const std::size_t length = std::strlen(folder);
  return size >= length && std::strncmp(path, folder, length) == 0;
}

bool is_meant(int fd, const char* folder) {
  char link[64];
  char path[1024];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 0 && begins_with(path, static_cast<std::size_t>(size), folder);
}

// SQLite gives whole paths.
bool is_meant(const char* path, const char* folder) {
  return begins_with(path, std::strlen(path), folder);
}

// The directory of backups gives names in open folders.
struct At {
  int folder;
  const char* path;
};

bool is_meant(At at, const char* folder) {
  return at.path[0] == '/' ? is_meant(at.path, folder) : is_meant(at.folder, folder);
}

void end_program() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// The errno with which this call fails; 0: it does not. `half` writes half of what was to be written.
template <class File, class Half>
int fate(std::int32_t kind, File file, Half half) {
  const int before = errno;
  FailingCalls* const calls = page();
  if (calls == nullptr || calls->left >= FailingCalls::kNever || (calls->kinds & kind) == 0 ||
      !is_meant(file, calls->folder)) {
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

#define COLLECT_FAILS_AS(kind, file, half)                    \
  if (const int error = fate(kind, file, half); error != 0) { \
    errno = error;                                            \
    return -1;                                                \
  }
#define COLLECT_FAILS(fd, half) COLLECT_FAILS_AS(FailingCalls::kWrites, fd, half)

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

ssize_t read(int fd, void* bytes, size_t size) {
  static const auto kReal = real<ssize_t (*)(int, void*, size_t)>("read");
  COLLECT_FAILS_AS(FailingCalls::kReads, fd, kNothing)
  return kReal(fd, bytes, size);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  COLLECT_FAILS_AS(FailingCalls::kReads, fd, kNothing)
  return kReal(fd, bytes, size, at);
}

ssize_t pread64(int fd, void* bytes, size_t size, off_t at) {
  static const auto kReal = real<ssize_t (*)(int, void*, size_t, off_t)>("pread64");
  COLLECT_FAILS_AS(FailingCalls::kReads, fd, kNothing)
  return kReal(fd, bytes, size, at);
}

// The mode is read also where none was given, as the C library's own functions do: it means nothing then.
#define COLLECT_OPENS(name)                                                \
  int name(const char* path, int flags, ...) {                             \
    static const auto kReal = real<int (*)(const char*, int, ...)>(#name); \
    va_list rest;                                                          \
    va_start(rest, flags);                                                 \
    const mode_t mode = va_arg(rest, mode_t);                              \
    va_end(rest);                                                          \
    COLLECT_FAILS_AS(FailingCalls::kOpens, path, kNothing)                 \
    return kReal(path, flags, mode);                                       \
  }
#define COLLECT_OPENS_AT(name)                                                  \
  int name(int folder, const char* path, int flags, ...) {                      \
    static const auto kReal = real<int (*)(int, const char*, int, ...)>(#name); \
    va_list rest;                                                               \
    va_start(rest, flags);                                                      \
    const mode_t mode = va_arg(rest, mode_t);                                   \
    va_end(rest);                                                               \
    COLLECT_FAILS_AS(FailingCalls::kOpens, (At{folder, path}), kNothing)        \
    return kReal(folder, path, flags, mode);                                    \
  }
COLLECT_OPENS(open)
COLLECT_OPENS(open64)
COLLECT_OPENS_AT(openat)
COLLECT_OPENS_AT(openat64)

// What comes third is an int or a pointer, or nothing, and is handed on as it came.
#define COLLECT_CONTROLS(name)                                                        \
  int name(int fd, int command, ...) {                                                \
    static const auto kReal = real<int (*)(int, int, ...)>(#name);                    \
    va_list rest;                                                                     \
    va_start(rest, command);                                                          \
    void* const third = va_arg(rest, void*);                                          \
    va_end(rest);                                                                     \
    if (command == F_SETLK && static_cast<struct flock*>(third)->l_type != F_UNLCK) { \
      COLLECT_FAILS_AS(FailingCalls::kLocks, fd, kNothing)                            \
    }                                                                                 \
    return kReal(fd, command, third);                                                 \
  }
COLLECT_CONTROLS(fcntl)
COLLECT_CONTROLS(fcntl64)

int unlink(const char* path) noexcept {
  static const auto kReal = real<int (*)(const char*)>("unlink");
  COLLECT_FAILS_AS(FailingCalls::kRemovals, path, kNothing)
  return kReal(path);
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  static const auto kReal = real<int (*)(int, const char*, int)>("unlinkat");
  COLLECT_FAILS_AS(FailingCalls::kRemovals, (At{folder, path}), kNothing)
  return kReal(folder, path, flags);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto kReal = real<int (*)(int, const char*, int, const char*)>("renameat");
  COLLECT_FAILS_AS(FailingCalls::kWrites, (At{from_folder, from}), kNothing)
  return kReal(from_folder, from, to_folder, to);
}

}  // extern "C"
