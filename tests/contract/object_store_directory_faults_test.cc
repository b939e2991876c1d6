// SPDX-License-Identifier: Apache-2.0
// An operating system that refuses: every call that an upload into a directory makes fails in turn, and a
// disk that fails for good does so from every call on. The linker puts the functions below in the place of
// the real ones (--wrap, CMakeLists.txt), which have _FILE_OFFSET_BITS=64's names.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <filesystem>

#include "backend/directory/directory_object_store.h"
#include "contract/object_store_contract.h"
#include "support/process.h"

namespace {

// For one thread at a time; nothing fails while `armed` is false.
struct Faults {
  bool armed = false;
  int calls = 0;
  int first = 0;  // the first call to fail, from 1 on
  bool for_good = false;
  int error = EIO;
  bool hit = false;
};
Faults faults;

bool refused() {
  if (!faults.armed) return false;
  ++faults.calls;
  if (faults.for_good ? faults.calls < faults.first : faults.calls != faults.first) return false;
  faults.hit = true;
  errno = faults.error;
  return true;
}

}  // namespace

// NOLINTBEGIN
extern "C" {
int __real_openat64(int folder, const char* name, int flags, mode_t mode);
int __real_mkdirat(int folder, const char* name, mode_t mode);
int __real_flock(int file, int operation);
int __real_fallocate64(int file, int mode, off_t offset, off_t length);
ssize_t __real_write(int file, const void* bytes, size_t size);
int __real_fsync(int file);
int __real_renameat(int from_folder, const char* from, int to_folder, const char* to);
int __real_unlinkat(int folder, const char* name, int flags);

int __wrap_openat64(int folder, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return refused() ? -1 : __real_openat64(folder, name, flags, mode);
}
int __wrap_mkdirat(int folder, const char* name, mode_t mode) {
  return refused() ? -1 : __real_mkdirat(folder, name, mode);
}
int __wrap_flock(int file, int operation) {
  return refused() ? -1 : __real_flock(file, operation);
}
int __wrap_fallocate64(int file, int mode, off_t offset, off_t length) {
  return refused() ? -1 : __real_fallocate64(file, mode, offset, length);
}
ssize_t __wrap_write(int file, const void* bytes, size_t size) {
  return refused() ? -1 : __real_write(file, bytes, size);
}
int __wrap_fsync(int file) {
  return refused() ? -1 : __real_fsync(file);
}
int __wrap_renameat(int from_folder, const char* from, int to_folder, const char* to) {
  return refused() ? -1 : __real_renameat(from_folder, from, to_folder, to);
}
int __wrap_unlinkat(int folder, const char* name, int flags) {
  return refused() ? -1 : __real_unlinkat(folder, name, flags);
}
}
// NOLINTEND

namespace collect::backups::test {
namespace {

namespace fs = std::filesystem;
using directory::DirectoryObjectStore;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kKey = "org/NETH-1/id.tar.gz";

std::vector<std::string> files_below(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_directory()) names.push_back(entry.path().filename());
  }
  return names;
}

Result<void> try_put(ObjectStore& store, std::string_view bytes) {
  auto upload = store.begin(kKey, bytes.size());
  if (!upload) return upload.failure();
  for (std::size_t at = 0; at < bytes.size(); at += bytes.size() / 4) {
    if (auto written = (*upload)->write(bytes.substr(at, bytes.size() / 4)); !written) return written;
  }
  return (*upload)->finish(metadata_of(bytes));
}

// Uploads once for every call, each time into a directory of its own. How many uploads failed.
int fail_every_call(int error, bool for_good) {
  const std::string bytes = some_bytes(100'000);
  int failed = 0;
  for (int number = 1;; ++number) {
    SCOPED_TRACE("error " + std::to_string(error) + " in call " + std::to_string(number));
    const collect::test::TempDir folder;
    const fs::path root = folder.path() / "backups";
    const auto store = must(DirectoryObjectStore::open(root));
    faults = {.armed = true, .first = number, .for_good = for_good, .error = error};
    const auto done = try_put(*store, bytes);
    faults.armed = false;
    if (done) {
      EXPECT_TRUE(get(*store, kKey) == bytes);
      EXPECT_EQ(must(store->head(kKey)).metadata, metadata_of(bytes));
    } else {
      ++failed;
      EXPECT_EQ(done.failure().kind, FailureKind::unavailable) << done.failure().message;
      EXPECT_THAT(done.failure().message, testing::HasSubstr(root.string()));
    }
    // What could not be removed then is by the sweep of a start.
    (void)must(must(DirectoryObjectStore::open(root))->sweep(Time()));
    // A disk that dies after the renaming cannot be rid of what is whole already.
    if (done || (for_good && !keys(*store).empty())) {
      EXPECT_THAT(keys(*store), ElementsAre(kKey));
      EXPECT_TRUE(get(*store, kKey) == bytes);
      EXPECT_EQ(files_below(root).size(), 2U);
    } else {
      EXPECT_THAT(files_below(root), IsEmpty());
    }
    if (!faults.hit) return failed;
  }
}

TEST(DirectoryStoreOnABadDisk, LeavesNothingWhicheverCallFails) {
  for (const int error : {EIO, ENOSPC, ENOENT}) EXPECT_GT(fail_every_call(error, false), 10);
}

TEST(DirectoryStoreOnABadDisk, LeavesNothingWhicheverCallIsTheLastThatWorks) {
  EXPECT_GT(fail_every_call(EIO, true), 10);
}

TEST(DirectoryStoreOnABadDisk, SaysThatItsDirectoryWasRemoved) {
  const collect::test::TempDir folder;
  const auto store = must(DirectoryObjectStore::open(folder.path() / "backups"));
  fs::remove_all(folder.path() / "backups");
  const auto done = try_put(*store, "bytes");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(done.failure().message, testing::HasSubstr("was removed"));
}

}  // namespace
}  // namespace collect::backups::test
