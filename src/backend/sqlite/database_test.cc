// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "backend/sqlite/migrations.h"

namespace collect::sqlite {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Time kNow{std::chrono::seconds{1767323045}};  // 2026-01-02T03:04:05Z

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::path(testing::TempDir()) / "collect-sqlite-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    db_ = open();
    ASSERT_TRUE(db_->write([](Transaction& t) {
      t.script(
          "CREATE TABLE things(name TEXT UNIQUE, n INTEGER, at TEXT) STRICT;"
          "CREATE TABLE parts(thing TEXT REFERENCES things(name) DEFERRABLE INITIALLY DEFERRED) STRICT;");
    }));
  }
  void TearDown() override {
    db_.reset();
    fs::remove_all(folder_);
  }

  fs::path file() const { return folder_ / "collect.db"; }

  std::unique_ptr<Database> open(Options options = {}) {
    auto opened = Database::open(file(), options);
    EXPECT_TRUE(opened.ok());
    return opened.ok() ? std::move(*opened) : nullptr;
  }

  static Result<void> put(Database& database, const std::string& name, std::int64_t n = 0) {
    return database.write(
        [&](Transaction& t) { t.run("INSERT INTO things(name, n) VALUES (?, ?)", name, n); });
  }

  static std::vector<std::string> texts(Database& database, const std::string& sql) {
    auto found = database.read([&](Snapshot& snapshot) {
      std::vector<std::string> names;
      auto row = snapshot.query(sql);
      while (row.next()) names.push_back(row.text(0));
      return names;
    });
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::vector<std::string>{"(failed)"};
  }

  static std::vector<std::string> names(Database& database) {
    return texts(database, "SELECT name FROM things ORDER BY name");
  }

  fs::path folder_;
  std::unique_ptr<Database> db_;
};

TEST_F(DatabaseTest, ValuesComeBackAsTheyWereBound) {
  const Time at = kNow + std::chrono::microseconds{678901};
  ASSERT_TRUE(db_->write([&](Transaction& t) {
    EXPECT_EQ(t.run("INSERT INTO things VALUES (?, ?, ?)", "a", std::int64_t{1} << 60, at), 1);
    EXPECT_EQ(t.run("INSERT INTO things VALUES (?, ?, ?)", std::optional<std::string>("b"), std::nullopt,
                    std::optional<Time>()),
              1);
    EXPECT_EQ(t.run("INSERT INTO things VALUES (?, ?, ?)", SystemId("c"), RecordId{7}, std::string_view()),
              1);
    EXPECT_EQ(t.run("UPDATE things SET n = 5 WHERE name = 'x'"), 0);
  }));
  const auto done = db_->read([&](Snapshot& snapshot) {
    auto row = snapshot.query("SELECT n, at, typeof(at) FROM things ORDER BY name");
    EXPECT_TRUE(row.next());
    EXPECT_EQ(row.int64(0), std::int64_t{1} << 60);
    EXPECT_EQ(row.time(1), at);
    EXPECT_EQ(row.view(1), "2026-01-02T03:04:05.678901Z");
    EXPECT_TRUE(row.next());
    EXPECT_EQ(row.maybe_int64(0), std::nullopt);
    EXPECT_EQ(row.maybe_time(1), std::nullopt);
    EXPECT_TRUE(row.next());
    EXPECT_EQ(row.int64(0), 7);
    EXPECT_EQ(row.view(2), "text") << "an empty text is not NULL";
    EXPECT_FALSE(row.next());
  });
  EXPECT_TRUE(done.ok());
}

TEST_F(DatabaseTest, ATimeThatAPersonWroteIsRead) {
  ASSERT_TRUE(db_->write([&](Transaction& t) {
    t.run("INSERT INTO things(name, at) VALUES ('a', '2026-01-02 03:04:05'), ('b', 'yesterday')");
  }));
  const auto times = db_->read([&](Snapshot& snapshot) {
    std::vector<Time> found;
    auto row = snapshot.query("SELECT at FROM things ORDER BY name");
    while (row.next()) {
      found.push_back(row.time(0));
      EXPECT_EQ(found.front(), kNow);
    }
    return found;
  });
  ASSERT_FALSE(times.ok());
  EXPECT_EQ(times.failure().kind, FailureKind::internal);
  EXPECT_THAT(times.failure().message, HasSubstr("column at"));
  EXPECT_THAT(times.failure().message, Not(HasSubstr("yesterday")));
}

TEST_F(DatabaseTest, AStatementMayRunInsideItsOwnRows) {
  ASSERT_TRUE(put(*db_, "a", 1));
  ASSERT_TRUE(put(*db_, "b", 2));
  const auto pairs = db_->read([](Snapshot& snapshot) {
    int count = 0;
    const std::string sql = "SELECT name FROM things";
    auto outer = snapshot.query(sql);
    while (outer.next()) {
      auto inner = snapshot.query(sql);
      while (inner.next()) ++count;
    }
    return count;
  });
  ASSERT_TRUE(pairs.ok());
  EXPECT_EQ(*pairs, 4);
}

TEST_F(DatabaseTest, AFailureRollsBack) {
  const auto failed = db_->write([](Transaction& t) -> Result<int> {
    t.run("INSERT INTO things(name) VALUES ('a')");
    return not_found("nothing here");
  });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.failure().kind, FailureKind::not_found);
  EXPECT_THAT(names(*db_), IsEmpty());
}

TEST_F(DatabaseTest, AnExceptionRollsBackAndPasses) {
  EXPECT_THROW((void)db_->write([](Transaction& t) {
    t.run("INSERT INTO things(name) VALUES ('a')");
    throw std::runtime_error("a bug");
  }),
               std::runtime_error);
  EXPECT_TRUE(put(*db_, "b"));
  EXPECT_THAT(names(*db_), ElementsAre("b"));
}

TEST_F(DatabaseTest, ARefusedValueIsInvalidAndNotRepeated) {
  ASSERT_TRUE(put(*db_, "secret-name"));
  const auto twice = put(*db_, "secret-name");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.failure().kind, FailureKind::invalid);
  EXPECT_THAT(twice.failure().message, HasSubstr("things.name"));
  EXPECT_THAT(twice.failure().message, Not(HasSubstr("secret-name")));

  const auto mismatch =
      db_->write([](Transaction& t) { t.run("INSERT INTO things(name, n) VALUES ('b', 'many')"); });
  ASSERT_FALSE(mismatch.ok());
  EXPECT_EQ(mismatch.failure().kind, FailureKind::invalid);

  const auto bug = db_->write([](Transaction& t) { t.run("INSERT INTO nowhere VALUES (1)"); });
  ASSERT_FALSE(bug.ok());
  EXPECT_EQ(bug.failure().kind, FailureKind::internal);
}

TEST_F(DatabaseTest, ACommitThatFailsIsRolledBack) {
  const auto orphan =
      db_->write([](Transaction& t) { t.run("INSERT INTO parts(thing) VALUES ('no such thing')"); });
  ASSERT_FALSE(orphan.ok());
  EXPECT_EQ(orphan.failure().kind, FailureKind::invalid);
  EXPECT_TRUE(put(*db_, "a")) << "the failed transaction must not be open any more";
  EXPECT_THAT(texts(*db_, "SELECT thing FROM parts"), IsEmpty());
}

TEST_F(DatabaseTest, AFileHeldByAnotherWriterIsUnavailable) {
  const auto other = open({.busy_timeout = std::chrono::milliseconds{30}});
  const auto outer = db_->write([&](Transaction& t) {
    t.run("INSERT INTO things(name) VALUES ('a')");
    EXPECT_THAT(names(*other), IsEmpty()) << "readers neither wait nor see what is not committed";
    const auto refused = put(*other, "b");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  });
  EXPECT_TRUE(outer.ok());
  EXPECT_TRUE(put(*other, "b"));
  EXPECT_THAT(names(*db_), ElementsAre("a", "b"));
}

TEST_F(DatabaseTest, AReadSeesOneState) {
  ASSERT_TRUE(put(*db_, "a"));
  const auto counts = db_->read([&](Snapshot& snapshot) {
    const auto count = [&] {
      auto row = snapshot.query("SELECT count(*) FROM things");
      row.next();
      return row.int64(0);
    };
    const auto before = count();
    EXPECT_TRUE(put(*db_, "b"));
    return std::pair(before, count());
  });
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(*counts, std::pair(std::int64_t{1}, std::int64_t{1}));
  EXPECT_THAT(names(*db_), ElementsAre("a", "b"));
}

TEST_F(DatabaseTest, AReaderCannotWrite) {
  const auto written = db_->read([](Snapshot& snapshot) {
    auto row = snapshot.query("INSERT INTO things(name) VALUES ('a')");
    row.next();
  });
  EXPECT_FALSE(written.ok());
  EXPECT_THAT(names(*db_), IsEmpty());
}

TEST_F(DatabaseTest, AFullDiskIsUnavailableAndLosesNothing) {
  ASSERT_TRUE(put(*db_, "a"));
  const auto limit = [&](const std::string& pages) {
    return db_->write([&](Transaction& t) { t.script("PRAGMA max_page_count=" + pages); });
  };
  ASSERT_TRUE(limit("20"));
  const auto too_much = db_->write([](Transaction& t) {
    for (int i = 0; i < 100; ++i)
      t.run("INSERT INTO things(name) VALUES (?)", std::string(4000, 'x') + std::to_string(i));
  });
  ASSERT_FALSE(too_much.ok());
  EXPECT_EQ(too_much.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(names(*db_), ElementsAre("a"));

  // A caller that goes on after the engine has rolled back must not write half of its work.
  const auto stubborn = db_->write([](Transaction& t) {
    t.run("INSERT INTO things(name) VALUES ('first half')");
    try {
      t.run("INSERT INTO things(name) VALUES (?)", std::string(400000, 'x'));
    } catch (const Fault&) {
    }
  });
  const auto expected =
      stubborn.ok() ? std::vector<std::string>{"a", "first half"} : std::vector<std::string>{"a"};
  EXPECT_EQ(names(*db_), expected);

  ASSERT_TRUE(limit("100000"));
  EXPECT_TRUE(put(*db_, "b"));
  EXPECT_THAT(texts(*db_, "PRAGMA integrity_check"), ElementsAre("ok"));
}

TEST_F(DatabaseTest, AKilledWriterLeavesWhatWasCommitted) {
  ASSERT_TRUE(put(*db_, "before"));
  db_.reset();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto opened = Database::open(file(), {.write_cache_kib = 16});
    if (!opened.ok() || !put(**opened, "committed").ok()) _exit(1);
    (void)(*opened)->write([&](Transaction& t) {
      // Far more than the cache holds, so that uncommitted pages lie in the log when the end comes.
      for (int i = 0; i < 1000; ++i)
        t.run("INSERT INTO things(name) VALUES (?)", std::string(4000, 'x') + std::to_string(i));
      if (::write(ready[1], "x", 1) != 1) _exit(1);
      while (true) pause();
    });
    _exit(1);
  }
  char byte = 0;
  close(ready[1]);
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  close(ready[0]);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);

  db_ = open();
  EXPECT_THAT(texts(*db_, "PRAGMA integrity_check"), ElementsAre("ok"));
  EXPECT_THAT(names(*db_), ElementsAre("before", "committed"));
  EXPECT_TRUE(put(*db_, "after"));
}

TEST_F(DatabaseTest, ManyThreadsWriteAndRead) {
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 6; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 50; ++i) {
          if (!put(*db_, std::to_string(thread) + ":" + std::to_string(i)).ok()) ++failures;
          if (!db_->read([](Snapshot& s) { return s.query("SELECT count(*) FROM things").next(); }).ok())
            ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_THAT(texts(*db_, "SELECT count(*) FROM things"), ElementsAre("300"));
}

TEST_F(DatabaseTest, TheFileIsItsOwnersAlone) {
  struct stat status {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(stat((file().string() + "-wal").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(DatabaseTest, CommittedMeansOnDisk) {
  EXPECT_THAT(texts(*db_, "PRAGMA journal_mode"), ElementsAre("wal"));
  const auto synchronous = db_->write([](Transaction& t) {
    auto row = t.query("PRAGMA synchronous");
    row.next();
    return row.int64(0);
  });
  ASSERT_TRUE(synchronous.ok());
  EXPECT_EQ(*synchronous, 2);
}

TEST_F(DatabaseTest, WhatCannotBeOpenedSaysWhy) {
  const auto nowhere = Database::open(folder_ / "no such folder" / "collect.db", {});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(nowhere.failure().message, HasSubstr("no such folder"));

  const auto text = folder_ / "text.db";
  std::FILE* const stream = std::fopen(text.c_str(), "w");
  ASSERT_NE(stream, nullptr);
  std::fputs(std::string(5000, 'x').c_str(), stream);
  std::fclose(stream);
  const auto no_database = Database::open(text, {});
  ASSERT_FALSE(no_database.ok());
  EXPECT_EQ(no_database.failure().kind, FailureKind::internal);
}

TEST_F(DatabaseTest, MigrationsAreAppliedOnce) {
  const auto first = migrate(*db_, kNow);
  ASSERT_TRUE(first.ok()) << first.failure().message;
  EXPECT_EQ(first->front(), "0001_tables");
  EXPECT_EQ(first->size(), migrations().size());
  const auto again = migrate(*db_, kNow);
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(*again, IsEmpty());
}

TEST_F(DatabaseTest, AMigrationThatFailsLeavesTheOnesBefore) {
  const std::vector<backend::Migration> files = {
      {"0001_good", "CREATE TABLE good(x); CREATE TABLE better(x);"},
      {"0002_bad", "CREATE TABLE half(x); CREATE TABLE good(x);"},
  };
  const auto failed = migrate(*db_, files, kNow);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.failure().message, HasSubstr("0002_bad"));
  EXPECT_THAT(texts(*db_, "SELECT name FROM collect_migrations"), ElementsAre("0001_good"));
  EXPECT_THAT(texts(*db_, "SELECT name FROM sqlite_master WHERE name IN ('better', 'half')"),
              ElementsAre("better"));
}

TEST_F(DatabaseTest, ANewerDatabaseIsLeftAlone) {
  const std::vector<backend::Migration> newer = {{"0001_now", "SELECT 1"}, {"0002_later", "SELECT 1"}};
  ASSERT_TRUE(migrate(*db_, newer, kNow).ok());
  const auto older = migrate(*db_, std::span(newer).first(1), kNow);
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.failure().kind, FailureKind::conflict);
  EXPECT_THAT(older.failure().message, HasSubstr("0002_later"));
}

TEST_F(DatabaseTest, ProcessesThatMigrateTogetherAgree) {
  std::atomic<int> applied = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto own = Database::open(folder_ / "new.db", {});
        ASSERT_TRUE(own.ok()) << own.failure().message;
        const auto done = migrate(**own, kNow);
        ASSERT_TRUE(done.ok()) << done.failure().message;
        applied += static_cast<int>(done->size());
      });
    }
  }
  EXPECT_EQ(applied, static_cast<int>(migrations().size()));
}

}  // namespace
}  // namespace collect::sqlite
