// SPDX-License-Identifier: Apache-2.0
// What only a directory has: links, pipes, full disks, and what a killed process leaves.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "backend/directory/directory_object_store.h"
#include "contract/object_store_contract.h"
#include "support/process.h"

namespace collect::backups::test {
namespace {

namespace fs = std::filesystem;
using directory::DirectoryObjectStore;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) names.push_back(entry.path().filename());
  }
  return names;
}

void write(const fs::path& file, std::string_view text) {
  std::ofstream(file) << text;
}

class DirectoryStore : public testing::Test {
 protected:
  collect::test::TempDir folder_;
  fs::path root_ = folder_.path() / "backups";
  std::unique_ptr<DirectoryObjectStore> store_ = must(DirectoryObjectStore::open(root_));
};

TEST_F(DirectoryStore, LaysFilesOutUnderTheirKeys) {
  const std::string bytes = some_bytes(1000);
  const auto metadata = put(*store_, "org/NETH-1/id.tar.gz", bytes);
  EXPECT_EQ(collect::test::read_text(root_ / "org/NETH-1/id.tar.gz"), bytes);
  EXPECT_EQ(
      collect::test::read_text(root_ / "org/NETH-1/.id.tar.gz.json"),
      "{\"sha256\":\"" + metadata.sha256 +
          "\",\"filename\":\"backup.tar.gz\",\"uploader_ip\":\"192.0.2.7\",\"content_type\":\"application/"
          "gzip\"}\n");
  EXPECT_EQ(fs::status(root_ / "org").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root_ / "org/NETH-1/id.tar.gz").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(DirectoryStore, FollowsNoLinkOutOfTheDirectory) {
  fs::create_directories(folder_.path() / "outside/system");
  write(folder_.path() / "outside/system/secret.bin", "secret");
  fs::create_directory_symlink(folder_.path() / "outside", root_ / "org");
  fs::create_directories(root_ / "org-2/system");
  fs::create_symlink(folder_.path() / "outside/system/secret.bin", root_ / "org-2/system/link.bin");

  for (const char* key : {"org/system/secret.bin", "org-2/system/link.bin"}) {
    EXPECT_FALSE(store_->open(key, {})) << key;
    EXPECT_FALSE(store_->head(key)) << key;
  }
  EXPECT_FALSE(store_->begin("org/system/new.bin", 3));
  EXPECT_FALSE(store_->remove("org/system/secret.bin"));
  EXPECT_THAT(keys(*store_), IsEmpty());
  must(store_->remove("org-2/system/link.bin"));  // the link, not what it names
  EXPECT_THAT(files_in(folder_.path() / "outside"), ElementsAre("secret.bin"));
  EXPECT_EQ(must(store_->sweep(Time())), 0U);
}

TEST_F(DirectoryStore, IsNotHeldUpByAPipe) {
  fs::create_directories(root_ / "org");
  ASSERT_EQ(::mkfifo((root_ / "org/pipe.bin").c_str(), 0600), 0);
  EXPECT_EQ(store_->open("org/pipe.bin", {}).failure().kind, FailureKind::not_found);
  EXPECT_THAT(keys(*store_), IsEmpty());
}

TEST_F(DirectoryStore, GivesObjectsThatOthersPutThere) {
  fs::create_directories(root_ / "org");
  write(root_ / "org/copied.bin", "content");
  write(root_ / "org/.broken.bin.json", "{");
  write(root_ / "org/broken.bin", "content");
  write(root_ / "org/.evil.bin.json", R"({"sha256":"a\r\nSet-Cookie: b","filename":"a\r\nb"})");
  write(root_ / "org/evil.bin", "content");
  EXPECT_THAT(keys(*store_), ElementsAre("org/broken.bin", "org/copied.bin", "org/evil.bin"));
  EXPECT_EQ(must(store_->head("org/copied.bin")).metadata, ObjectMetadata{});
  EXPECT_EQ(must(store_->head("org/broken.bin")).metadata, ObjectMetadata{});
  EXPECT_EQ(must(store_->head("org/evil.bin")).metadata, ObjectMetadata{});
  EXPECT_EQ(get(*store_, "org/copied.bin"), "content");
  EXPECT_EQ(must(store_->sweep(Time())), 0U);
}

TEST_F(DirectoryStore, AFailedSecondUploadLeavesTheFirst) {
  put(*store_, "org/a.bin", "content");
  {
    auto upload = must(store_->begin("org/a.bin", 5));
    must(upload->write("other"));
    EXPECT_EQ(store_->begin("org/a.bin", 5).failure().kind, FailureKind::conflict);
  }
  EXPECT_EQ(get(*store_, "org/a.bin"), "content");
  EXPECT_EQ(must(store_->head("org/a.bin")).metadata, metadata_of("content"));
}

// The child uploads until a limit of the kernel's stops it, which is what a kill at that byte is.
void die_while_uploading(const fs::path& root, std::string_view key, rlim_t at) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{at, at};
    ::setrlimit(RLIMIT_FSIZE, &limit);  // SIGXFSZ ends the process
    const auto store = DirectoryObjectStore::open(root);
    if (store) {
      const auto upload = (*store)->begin(key, 300'000);
      for (int piece = 0; upload && piece < 3; ++piece) (void)(*upload)->write(std::string(100'000, 'x'));
      ::raise(SIGKILL);
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST_F(DirectoryStore, SweepsWhatAKilledProcessLeft) {
  put(*store_, "org/whole.bin", "content");
  die_while_uploading(root_, "org/killed.bin", RLIM_INFINITY);
  write(root_ / "org/.described.bin.json", "{}");  // as after a kill between the removal of both files
  EXPECT_THAT(keys(*store_), ElementsAre("org/whole.bin"));
  EXPECT_THAT(files_in(root_), UnorderedElementsAre("whole.bin", ".whole.bin.json", ".killed.bin.upload",
                                                    ".described.bin.json"));
  auto alive = must(store_->begin("org/alive.bin", 3));
  EXPECT_EQ(must(store_->sweep(Time())), 2U);
  EXPECT_EQ(must(store_->sweep(Time())), 0U);
  must(alive->write("abc"));
  must(alive->finish(metadata_of("abc")));
  EXPECT_THAT(files_in(root_),
              UnorderedElementsAre("whole.bin", ".whole.bin.json", "alive.bin", ".alive.bin.json"));
}

TEST_F(DirectoryStore, WhatAKilledUploadLeftStandsInNobodysWay) {
  fs::create_directories(root_ / "org");
  write(root_ / "org/.a.bin.upload", "half of so");
  const std::string bytes = some_bytes(100);
  put(*store_, "org/a.bin", bytes);
  EXPECT_EQ(get(*store_, "org/a.bin"), bytes);
  EXPECT_THAT(files_in(root_), UnorderedElementsAre("a.bin", ".a.bin.json"));
}

TEST_F(DirectoryStore, SaysThatTheDiskIsFull) {
  const auto full = directory::failure_of(ENOSPC, "cannot write", root_);
  EXPECT_EQ(full.kind, FailureKind::unavailable);
  EXPECT_THAT(full.message, HasSubstr("is full"));
  EXPECT_THAT(full.message, HasSubstr(root_.string()));
  // More than any disk has: refused before the first byte where the file system can tell.
  const auto begun = store_->begin("org/huge.bin", std::uint64_t{1} << 60U);
  if (!begun) {
    EXPECT_EQ(begun.failure().kind, FailureKind::unavailable);
    EXPECT_THAT(files_in(root_), IsEmpty());
  }
}

TEST(DirectoryStoreOpening, SaysWhatIsWrongWithTheDirectory) {
  const collect::test::TempDir folder;
  write(folder.path() / "file", "");
  const auto opened = DirectoryObjectStore::open(folder.path() / "file");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(opened.failure().message, HasSubstr("COLLECT_DATA_DIR"));
}

}  // namespace
}  // namespace collect::backups::test
