// SPDX-License-Identifier: Apache-2.0
// What the disk sees of what is told, and a workload whose n-th access to it fails, for n = 1, 2, … until a
// run meets no fault any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

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
  // The n-th read from now on fails, as at EIO.
  void arm_reads(int n) { reads_left_ = n; }
  bool disarm_reads() { return reads_left_.exchange(kNever) <= 0; }
  // Whether it came to a fault.
  bool disarm() { return left_.exchange(kNever) <= 0; }
  // Something was written that no sync came after.
  [[nodiscard]] bool unsynced() const { return unsynced_; }

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

  // The database and its log come with tables of their own.
  struct Methods {
    sqlite3_io_methods changed;  // first: what a file points to
    const sqlite3_io_methods* real;
  };
  static const sqlite3_io_methods& real(sqlite3_file* file) {
    return *reinterpret_cast<const Methods*>(file->pMethods)->real;
  }
  void change(sqlite3_file* file) {
    const std::lock_guard lock(changing_);
    auto& methods = methods_[file->pMethods];
    if (methods == nullptr) {
      methods = std::make_unique<Methods>(Methods{*file->pMethods, file->pMethods});
      methods->changed.xWrite = [](sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
        install().unsynced_ = true;
        const int code = install().next(SQLITE_IOERR_WRITE);
        return code != SQLITE_OK ? code : real(f).xWrite(f, bytes, size, at);
      };
      methods->changed.xRead = [](sqlite3_file* f, void* bytes, int size, sqlite3_int64 at) {
        if (--install().reads_left_ == 0) return SQLITE_IOERR_CORRUPTFS;
        return real(f).xRead(f, bytes, size, at);
      };
      methods->changed.xSync = [](sqlite3_file* f, int flags) {
        install().unsynced_ = false;
        const int code = install().next(SQLITE_IOERR_FSYNC);
        return code != SQLITE_OK ? code : real(f).xSync(f, flags);
      };
      methods->changed.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        const int code = install().next(SQLITE_IOERR_TRUNCATE);
        return code != SQLITE_OK ? code : real(f).xTruncate(f, size);
      };
    }
    file->pMethods = &methods->changed;
  }

  int next(int usual) {
    const int left = --left_;
    if (left > 0 || (left < 0 && !lasting_)) return SQLITE_OK;
    return code_ == SQLITE_IOERR ? usual : code_.load();
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  std::mutex changing_;
  std::map<const sqlite3_io_methods*, std::unique_ptr<Methods>> methods_;  // guarded by changing_
  std::atomic<int> left_ = kNever;
  std::atomic<int> reads_left_ = kNever;
  std::atomic<int> code_ = SQLITE_IOERR;
  std::atomic<bool> lasting_ = false;
  std::atomic<bool> unsynced_ = false;
};

struct DiskFault {
  const char* name;
  int code;
  bool lasting;
};

class DatabaseOnADisk : public testing::Test {
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

  // With a table.
  static std::unique_ptr<Database> opened(const fs::path& file) {
    auto database = Database::open(file, {.between_looks = std::chrono::milliseconds(1)});
    EXPECT_TRUE(database.ok());
    EXPECT_TRUE((*database)
                    ->write([](Transaction& t) { t.script("CREATE TABLE things(name, part, filling)"); })
                    .ok());
    return *std::move(database);
  }

  fs::path folder_;
};

TEST_F(DatabaseOnADisk, WhatIsToldAsDoneIsThere) {
  const auto database = opened(folder_ / "collect.db");
  EXPECT_FALSE(FailingDisk::install().unsynced());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(put(*database, std::to_string(i)).ok());
    EXPECT_FALSE(FailingDisk::install().unsynced()) << i;
  }
}

class DatabaseFaultsTest : public DatabaseOnADisk, public testing::WithParamInterface<DiskFault> {
 protected:
  // Writes, reads and closes with the n-th access failing; true when it came to that.
  static bool run(int n, const fs::path& folder) {
    const auto file = folder / (std::to_string(n) + ".db");
    std::set<std::string> told;
    std::set<std::string> tried;
    {
      const auto there = opened(file);
      Database& database = *there;
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
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
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
};

TEST_P(DatabaseFaultsTest, WhatWasAcknowledgedStaysAndNothingIsHalf) {
  int n = 1;
  while (run(n, folder_) && !HasFailure()) ++n;
  EXPECT_GT(n, 10) << "the faults were never met";
}

// SQLite calls it damage when the disk refuses a read. Taken for that, or for the message's fault, an
// inventory was put off and then was too late to be compared.
TEST_F(DatabaseOnADisk, AReadThatFailsIsAnOutageAndNoDamage) {
  FailingDisk& disk = FailingDisk::install();
  const auto file = folder_ / "collect.db";
  const auto fill = [](Transaction& t) {
    t.script("CREATE TABLE things(name, filling)");
    for (int i = 0; i < 20; ++i) t.run("INSERT INTO things VALUES (?, ?)", i, std::string(5000, 'x'));
  };
  ASSERT_TRUE((*Database::open(file, {}))->write(fill));
  const auto count = [](Snapshot& snapshot) {
    auto row = snapshot.query("SELECT count(*), sum(length(filling)) FROM things");
    return row.next() ? row.int64(0) : 0;
  };
  int n = 0;
  for (bool met = true; met && !testing::Test::HasFailure();) {
    auto database = Database::open(file, {});
    ASSERT_TRUE(database);
    disk.arm_reads(++n);
    const auto found = (*database)->read(count);
    met = disk.disarm_reads();
    EXPECT_EQ(found.ok(), !met);
    if (!found) {
      EXPECT_EQ(to_string(found.failure().kind), "unavailable") << found.failure().message;
    }
    const auto again = (*database)->read(count);
    EXPECT_TRUE(again && *again == 20);
  }
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
