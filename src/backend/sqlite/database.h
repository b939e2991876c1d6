// SPDX-License-Identifier: Apache-2.0
// The embedded engine's file: one connection that writes, a few that read, each with its prepared statements.
// Write-ahead log with synchronous=FULL: what was committed survives a power cut. Other processes may have
// the same file open (`collect` commands beside `collect serve`). All functions are safe from any thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/sqlite/connection.h"
#include "base/result.h"

namespace collect::sqlite {

struct Options {
  // How long to wait for another process before `unavailable`.
  std::chrono::milliseconds busy_timeout{5000};
  std::size_t readers = 4;  // connections opened at most, one by one as they are needed
  int write_cache_kib = 32768;
  int read_cache_kib = 4096;
  // A disk that was full is not looked at again before that: until then `unavailable` at once.
  std::chrono::milliseconds between_looks{1000};
};

// What may be done while reading: one consistent state of the database.
class Snapshot {
 public:
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { connection_.roll_back(); }

  // See Connection::query().
  template <class... Args>
  Cursor query(std::string_view sql, const Args&... args) {
    return connection_.query(sql, args...);
  }

 protected:
  friend class Database;
  Snapshot(Connection& connection, std::string_view begin) : connection_(connection) {
    connection_.run(begin);
  }
  Connection& connection_;
};

// What may be done while writing. Until f returns nothing of it is seen by others; then all of it is.
class Transaction : public Snapshot {
 public:
  // See Connection::run().
  template <class... Args>
  std::int64_t run(std::string_view sql, const Args&... args) {
    return connection_.run(sql, args...);
  }
  void script(const std::string& sql) { connection_.script(sql); }
  [[nodiscard]] std::int64_t last_insert_id() const { return connection_.last_insert_id(); }

 private:
  friend class Database;
  explicit Transaction(Connection& connection) : Snapshot(connection, "BEGIN IMMEDIATE") {}
  void commit();
};

namespace detail {
template <class T>
struct AsResult {
  using type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using type = Result<T>;
};
}  // namespace detail

class Database {
 public:
  // Creates the file (readable by its owner only) where there is none; its folder must exist. Creates no
  // tables: see migrations.h. `unavailable` when it cannot be opened, `internal` when it is no database.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, const Options& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs f(Transaction&) -> T, Result<T> or void between BEGIN IMMEDIATE and COMMIT. A failure or an
  // exception of f, or a COMMIT that fails, rolls all of it back. One writer at a time in this process (this
  // is also the lock per system of the ports), so f must not call write() itself. `unavailable`: another
  // process held the file too long, the disk is full or broken, no memory. After an I/O error of COMMIT
  // itself it is unknown whether it happened.
  template <class F>
  auto write(F&& f) -> typename detail::AsResult<std::invoke_result_t<F, Transaction&>>::type {
    const std::lock_guard lock(write_mutex_);
    try {
      if (writer_->disk_was_full()) find_room();
      Transaction transaction(*writer_);
      return finish(std::forward<F>(f), transaction, [&] { transaction.commit(); });
    } catch (const Fault& fault) {
      return fault.failure();
    }
  }

  // Runs f(Snapshot&) -> T, Result<T> or void on one consistent state. Never waits for writers; waits while
  // all readers are busy. Sees every write() that returned before.
  template <class F>
  auto read(F&& f) -> typename detail::AsResult<std::invoke_result_t<F, Snapshot&>>::type {
    try {
      const Borrowed reader(*this);
      Snapshot snapshot(*reader.connection, "BEGIN");
      return finish(std::forward<F>(f), snapshot, [] {});
    } catch (const Fault& fault) {
      return fault.failure();
    }
  }

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  Database(std::filesystem::path file, const Options& options);

  template <class F, class Scope, class Commit>
  static auto finish(F&& f, Scope& scope, Commit commit) ->
      typename detail::AsResult<std::invoke_result_t<F, Scope&>>::type {
    if constexpr (std::is_void_v<std::invoke_result_t<F, Scope&>>) {
      std::forward<F>(f)(scope);
      commit();
      return {};
    } else {
      typename detail::AsResult<std::invoke_result_t<F, Scope&>>::type result = std::forward<F>(f)(scope);
      if (result.ok()) commit();
      return result;
    }
  }

  // A reader for the length of one read().
  struct Borrowed {
    explicit Borrowed(Database& from) : database(from), connection(from.take_reader()) {}
    ~Borrowed() { database.put_back(std::move(connection)); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    Database& database;
    std::unique_ptr<Connection> connection;
  };
  void find_room();
  std::unique_ptr<Connection> take_reader();
  void put_back(std::unique_ptr<Connection> reader) noexcept;

  const std::filesystem::path file_;
  const Options options_;
  std::mutex write_mutex_;
  std::unique_ptr<Connection> writer_;                   // guarded by write_mutex_
  std::chrono::steady_clock::time_point look_again_at_;  // guarded by write_mutex_
  std::mutex read_mutex_;
  std::condition_variable reader_free_;
  std::vector<std::unique_ptr<Connection>> free_readers_;  // guarded by read_mutex_
  std::size_t opened_readers_ = 0;                         // guarded by read_mutex_
};

}  // namespace collect::sqlite
