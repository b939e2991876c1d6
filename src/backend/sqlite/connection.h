// SPDX-License-Identifier: Apache-2.0
// One SQLite connection with its prepared statements, and the rows that come out of them. Used by one thread
// at a time; Database (database.h) hands connections out. SQL errors travel as Fault inside the adapter and
// become a Failure at Database::read() and write(): no Fault ever leaves this folder.
//
// Values in tables: a Time is RFC 3339 text in UTC with six fraction digits ("2026-01-02T03:04:05.678901Z"):
// people read the file with sqlite3, and text of one length sorts as time does. Booleans are 0 and 1, JSON is
// text, ids are text or integers as in base/ids.h.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::sqlite {

// BUSY, LOCKED, FULL, IOERR, CANTOPEN, NOMEM, READONLY, CORRUPT and their like are `unavailable`; CONSTRAINT,
// TOOBIG, MISMATCH, RANGE are `invalid`; all else is `internal`. Messages hold no values of rows or
// parameters.
class Fault final : public std::exception {
 public:
  explicit Fault(Failure failure) : failure_(std::move(failure)) {}
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
};

// `detail` adds what SQLite says itself; only for texts without data.
Failure failure_of(int code, std::string_view doing, std::string_view detail = {});

struct Blob {
  std::string_view bytes;
};

// RecordId, DiffId and their like.
template <class T>
concept NumericId = std::is_enum_v<T> && std::same_as<std::underlying_type_t<T>, std::int64_t>;

class Connection;

namespace detail {
struct Prepared {
  sqlite3_stmt* statement = nullptr;
  bool in_use = false;
};
}  // namespace detail

// A running statement. Columns count from 0; reading one that is NULL as a value gives the type's empty
// value. Ends (and frees the statement for the next user) when it is destroyed.
class Cursor {
 public:
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  // Moves to the next (at first: the first) row. False: no more rows.
  bool next();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string_view view(int column) const;  // text or blob, until next() or the end
  [[nodiscard]] std::string text(int column) const { return std::string(view(column)); }
  [[nodiscard]] std::int64_t int64(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] bool flag(int column) const { return int64(column) != 0; }
  [[nodiscard]] Time time(int column) const;  // `internal` when it is none
  [[nodiscard]] std::optional<std::string> maybe_text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_int64(int column) const;
  [[nodiscard]] std::optional<Time> maybe_time(int column) const;

  // Parameters count from 1. Text and blobs are copied unless `borrowed`: then they must outlive the cursor.
  template <class T>
  void bind(int index, const T& value, bool borrowed = false);

 private:
  friend class Connection;
  Cursor(Connection& connection, std::string_view sql);
  void bind_text(int index, std::string_view text, bool borrowed);
  void bind_blob(int index, std::string_view bytes, bool borrowed);
  void bind_int64(int index, std::int64_t number);
  void bind_double(int index, double number);
  void bind_null(int index);
  void check_bound(int code);

  Connection* connection_;
  sqlite3_stmt* statement_;
  detail::Prepared* cached_;  // nullptr: this cursor's own
};

class Connection {
 public:
  enum class Use { write, read };
  struct Setup {
    std::chrono::milliseconds busy_timeout{5000};
    int cache_kib = 4096;
  };
  // Opens an existing or new file, or throws Fault. Only a connection for writing sets the file's modes.
  Connection(const std::filesystem::path& file, Use use, const Setup& setup);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Prepared once and kept, so SQL texts must be few: values go into parameters. Parameters are bound in
  // order: text, Blob, integers, bool, double, Time, Id, NumericId, optional of these, nullopt.
  template <class... Args>
  Cursor query(std::string_view sql, const Args&... args) {
    Cursor cursor(*this, sql);
    int index = 0;
    (cursor.bind(++index, args), ...);
    return cursor;
  }
  // Runs to the end; returns how many rows were inserted, updated or deleted.
  template <class... Args>
  std::int64_t run(std::string_view sql, const Args&... args) {
    Cursor cursor(*this, sql);
    int index = 0;
    (cursor.bind(++index, args, true), ...);
    while (cursor.next()) {
    }
    return changes();
  }
  // Several statements without parameters, not kept.
  void script(const std::string& sql);

  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_insert_id() const;
  [[nodiscard]] bool in_transaction() const;
  // A statement met a full disk, and the log was not emptied since.
  [[nodiscard]] bool disk_was_full() const { return disk_was_full_; }
  // Moves all that the write-ahead log holds into the file and gives its room back; throws Fault where the
  // file cannot grow as far as that needs.
  void empty_log();
  // Never throws; leaves the connection outside of any transaction.
  void roll_back() noexcept;

 private:
  friend class Cursor;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  sqlite3_stmt* prepare(std::string_view sql, bool kept);
  void enter_wal(std::chrono::milliseconds patience);
  void close() noexcept;
  void note(int code);
  void bound_log(const std::filesystem::path& file);
  [[nodiscard]] bool log_is_long(std::int64_t frames) const;

  sqlite3* handle_ = nullptr;
  std::string file_;            // of one for writing
  std::int64_t page_size_ = 0;  // too
  bool disk_was_full_ = false;
  std::unordered_map<std::string, detail::Prepared, Hash, std::equal_to<>> statements_;
};

template <class T>
void Cursor::bind(int index, const T& value, bool borrowed) {
  if constexpr (std::is_same_v<T, std::nullopt_t> || std::is_same_v<T, std::nullptr_t>) {
    bind_null(index);
  } else if constexpr (std::is_same_v<T, Time>) {
    bind_text(index, to_rfc3339(value), false);
  } else if constexpr (std::is_same_v<T, Blob>) {
    bind_blob(index, value.bytes, borrowed);
  } else if constexpr (NumericId<T>) {
    bind_int64(index, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    bind_int64(index, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    bind_double(index, static_cast<double>(value));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    bind_text(index, std::string_view(value), borrowed);
  } else if constexpr (requires { value.text(); }) {
    bind_text(index, std::string_view(value.text()), borrowed);
  } else {
    if (value.has_value()) {
      bind(index, *value, borrowed);
    } else {
      bind_null(index);
    }
  }
}

}  // namespace collect::sqlite
