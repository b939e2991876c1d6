// SPDX-License-Identifier: Apache-2.0
// A workload whose n-th access to the disk fails, for n = 1, 2, … until a run meets no fault any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "backend/sqlite/database.h"

namespace collect::sqlite {
namespace {

namespace fs = std::filesystem;

// Stands before the real file functions. SQLite's unix files carry no pointer to the file system they came
// from, so it is enough to give them a changed table of methods.
class FailingDisk {
 public:
  static FailingDisk& install() {
    static FailingDisk disk;
    return disk;
  }
  // The n-th access from now on fails with `code`, and each after it while `lasting`.
  void arm(int n, int code, bool lasting) {
    code_ = code;
    lasting_ = lasting;
    left_ = n;
  }
  // Whether it came to a fault.
  bool disarm() { return left_.exchange(kNever) <= 0; }

 private:
  static constexpr int kNever = 1 << 30;

  FailingDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "failing";
    vfs_.xOpen = [](sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
      auto& disk = install();
      const int code = disk.real_->xOpen(disk.real_, name, file, flags, out);
      if (code == SQLITE_OK && file->pMethods != nullptr) disk.change(file);
      return code;
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FailingDisk() { sqlite3_vfs_unregister(&vfs_); }

  void change(sqlite3_file* file) {
    if (real_methods_ == nullptr) {
      real_methods_ = file->pMethods;
      methods_ = *real_methods_;
      methods_.xWrite = [](sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
        const int code = install().next(SQLITE_IOERR_WRITE);
        return code != SQLITE_OK ? code : install().real_methods_->xWrite(f, bytes, size, at);
      };
      methods_.xSync = [](sqlite3_file* f, int flags) {
        const int code = install().next(SQLITE_IOERR_FSYNC);
        return code != SQLITE_OK ? code : install().real_methods_->xSync(f, flags);
      };
      methods_.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        const int code = install().next(SQLITE_IOERR_TRUNCATE);
        return code != SQLITE_OK ? code : install().real_methods_->xTruncate(f, size);
      };
    }
    if (file->pMethods == real_methods_) file->pMethods = &methods_;
  }

  int next(int usual) {
    const int left = --left_;
    if (left > 0 || (left < 0 && !lasting_)) return SQLITE_OK;
    return code_ == SQLITE_IOERR ? usual : code_.load();
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  const sqlite3_io_methods* real_methods_ = nullptr;
  sqlite3_io_methods methods_{};
  std::atomic<int> left_ = kNever;
  std::atomic<int> code_ = SQLITE_IOERR;
  std::atomic<bool> lasting_ = false;
};

struct DiskFault {
  const char* name;
  int code;
  bool lasting;
};

class DatabaseFaultsTest : public testing::TestWithParam<DiskFault> {
 protected:
  void SetUp() override {
    FailingDisk::install();
    auto pattern = (fs::path(testing::TempDir()) / "collect-faults-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static Result<void> put(Database& database, const std::string& name) {
    return database.write([&](Transaction& t) {
      for (int part = 0; part < 3; ++part)
        t.run("INSERT INTO things VALUES (?, ?, ?)", name, part, std::string(5000, 'x'));
    });
  }

  static std::multiset<std::string> names(Database& database) {
    auto found = database.read([](Snapshot& snapshot) {
      std::multiset<std::string> all;
      auto row = snapshot.query("SELECT name FROM things");
      while (row.next()) all.insert(row.text(0));
      return all;
    });
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::multiset<std::string>{};
  }

  static void expect_whole(Database& database, const std::set<std::string>& told,
                           const std::set<std::string>& tried) {
    const auto found = names(database);
    for (const auto& name : told) EXPECT_EQ(found.count(name), 3U) << name << " was acknowledged";
    for (const auto& name : tried) EXPECT_TRUE(found.count(name) == 0 || found.count(name) == 3) << name;
    const auto check = database.read([](Snapshot& snapshot) {
      auto row = snapshot.query("PRAGMA integrity_check");
      row.next();
      return row.text(0);
    });
    ASSERT_TRUE(check.ok());
    EXPECT_EQ(*check, "ok");
  }

  // Writes, reads and closes with the n-th access failing; true when it came to that.
  bool run(int n) {
    const auto file = folder_ / (std::to_string(n) + ".db");
    std::set<std::string> told;
    std::set<std::string> tried;
    {
      auto opened = Database::open(file, {});
      EXPECT_TRUE(opened.ok());
      auto& database = **opened;
      EXPECT_TRUE(
          database.write([](Transaction& t) { t.script("CREATE TABLE things(name, part, filling)"); }).ok());
      FailingDisk::install().arm(n, GetParam().code, GetParam().lasting);
      for (const auto* name : {"a", "b", "c", "d"}) {
        const auto done = put(database, name);
        (done.ok() ? told : tried).insert(name);
        if (!done.ok()) {
          EXPECT_EQ(to_string(done.failure().kind), "unavailable") << done.failure().message;
        }
      }
      const bool met = FailingDisk::install().disarm();
      EXPECT_EQ(tried.empty(), !met);
      // The same connection must be as good as new.
      EXPECT_TRUE(put(database, "after").ok());
      told.insert("after");
      expect_whole(database, told, tried);
      if (!met) FailingDisk::install().arm(n, GetParam().code, GetParam().lasting);
    }  // closing moves the log into the file
    const bool met_closing = FailingDisk::install().disarm();
    auto again = Database::open(file, {});
    EXPECT_TRUE(again.ok());
    expect_whole(**again, told, tried);
    return met_closing || !tried.empty();
  }

  fs::path folder_;
};

TEST_P(DatabaseFaultsTest, WhatWasAcknowledgedStaysAndNothingIsHalf) {
  int n = 1;
  while (run(n) && !HasFailure()) ++n;
  EXPECT_GT(n, 10) << "the faults were never met";
}

INSTANTIATE_TEST_SUITE_P(Faults, DatabaseFaultsTest,
                         testing::Values(DiskFault{"OneError", SQLITE_IOERR, false},
                                         DiskFault{"LastingErrors", SQLITE_IOERR, true},
                                         DiskFault{"FullDiskForAMoment", SQLITE_FULL, false},
                                         DiskFault{"FullDisk", SQLITE_FULL, true}),
                         [](const auto& fault) { return fault.param.name; });

}  // namespace
}  // namespace collect::sqlite
