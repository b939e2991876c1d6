// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/connection.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <thread>

namespace collect::sqlite {
namespace {

constexpr std::int64_t kLongestLog = std::int64_t{64} << 20U;  // bytes

FailureKind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_INTERRUPT:
    // What a read that the disk refuses (EIO) becomes as well; and where pages are damaged indeed, that is no
    // message's fault either.
    case SQLITE_CORRUPT:
      return FailureKind::unavailable;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return FailureKind::invalid;
    default:
      return FailureKind::internal;
  }
}

// SQLite's own words about a statement name tables and columns; only for these codes they never hold values.
bool tells_no_data(int code) {
  return (code & 0xff) == SQLITE_CONSTRAINT || code == SQLITE_ERROR || code == SQLITE_RANGE;
}

}  // namespace

Failure failure_of(int code, std::string_view doing, std::string_view detail) {
  auto message = fmt::format("SQLite cannot {}: {} (code {})", doing, sqlite3_errstr(code), code);
  if (!detail.empty()) message += fmt::format(": {}", detail);
  return {kind_of(code), std::move(message)};
}

Cursor::Cursor(Connection& connection, std::string_view sql) : connection_(&connection), cached_(nullptr) {
  auto found = connection.statements_.find(sql);
  if (found == connection.statements_.end()) {
    auto* const statement = connection.prepare(sql, true);
    found = connection.statements_.emplace(std::string(sql), detail::Prepared{statement, false}).first;
  }
  if (found->second.in_use) {  // a loop over its own rows: a second one for as long as that takes
    statement_ = connection.prepare(sql, false);
    return;
  }
  cached_ = &found->second;
  cached_->in_use = true;
  statement_ = cached_->statement;
}

Cursor::Cursor(Cursor&& other) noexcept
    : connection_(other.connection_), statement_(other.statement_), cached_(other.cached_) {
  other.statement_ = nullptr;
  other.cached_ = nullptr;
}

Cursor::~Cursor() {
  if (statement_ == nullptr) return;
  if (cached_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  // The result repeats what next() has told already.
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  cached_->in_use = false;
}

bool Cursor::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_->note(code);
  const auto detail = tells_no_data(code) ? std::string(sqlite3_errmsg(connection_->handle_)) : std::string();
  throw Fault(failure_of(code, "run a statement", detail));
}

bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::string_view Cursor::view(int column) const {
  // Order matters: the length is that of the last conversion. A BLOB is given as it is.
  const void* const bytes = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                                ? sqlite3_column_blob(statement_, column)
                                : static_cast<const void*>(sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Cursor::int64(int column) const {
  return sqlite3_column_int64(statement_, column);
}

double Cursor::real(int column) const {
  return sqlite3_column_double(statement_, column);
}

Time Cursor::time(int column) const {
  const auto text = view(column);
  if (const auto time = parse_rfc3339(text); time.ok()) return *time;
  // What datetime('now') writes, when a person edits the file.
  if (const auto time = parse_rfc3339(std::string(text) + "Z"); time.ok()) return *time;
  throw Fault(internal(fmt::format("expected a time (RFC 3339) in column {} of a row, got something else",
                                   sqlite3_column_name(statement_, column))));
}

std::optional<std::string> Cursor::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<std::int64_t> Cursor::maybe_int64(int column) const {
  if (is_null(column)) return std::nullopt;
  return int64(column);
}

std::optional<Time> Cursor::maybe_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

void Cursor::bind_text(int index, std::string_view text, bool borrowed) {
  // A null pointer would bind NULL: an empty view may hold one.
  const char* const data = text.data() == nullptr ? "" : text.data();
  check_bound(sqlite3_bind_text64(statement_, index, data, text.size(),
                                  borrowed ? SQLITE_STATIC : SQLITE_TRANSIENT,  // NOLINT: SQLite's macro
                                  SQLITE_UTF8));
}

void Cursor::bind_blob(int index, std::string_view bytes, bool borrowed) {
  const char* const data = bytes.data() == nullptr ? "" : bytes.data();
  check_bound(sqlite3_bind_blob64(statement_, index, data, bytes.size(),
                                  borrowed ? SQLITE_STATIC : SQLITE_TRANSIENT));  // NOLINT: SQLite's macro
}

void Cursor::bind_int64(int index, std::int64_t number) {
  check_bound(sqlite3_bind_int64(statement_, index, number));
}

void Cursor::bind_double(int index, double number) {
  check_bound(sqlite3_bind_double(statement_, index, number));
}

void Cursor::bind_null(int index) {
  check_bound(sqlite3_bind_null(statement_, index));
}

void Cursor::check_bound(int code) {
  if (code != SQLITE_OK) throw Fault(failure_of(code, "bind a parameter"));
}

Connection::Connection(const std::filesystem::path& file, Use use, const Setup& setup) {
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (use == Use::write ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    close();
    throw Fault(failure_of(code, fmt::format("open {}", file.string())));
  }
  try {
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, static_cast<int>(setup.busy_timeout.count()));
    if (use == Use::write) {
      script("PRAGMA page_size=8192");  // of a new file: documents of 30 KB want fewer pages each
      enter_wal(setup.busy_timeout);
    }
    // secure_delete FAST: Debian's default ON writes every freed page once more.
    script(
        fmt::format("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
                    "PRAGMA secure_delete=FAST; PRAGMA cache_size=-{};"
                    "PRAGMA journal_size_limit={};",
                    setup.cache_kib, kLongestLog));
    if (use == Use::read) script("PRAGMA query_only=ON");
    if (use == Use::write) bound_log(file);
  } catch (...) {
    close();
    throw;
  }
}

// Two processes that meet on a new file get BUSY here without the busy handler being asked.
void Connection::enter_wal(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    try {
      auto cursor = query("PRAGMA journal_mode=WAL");
      if (cursor.next() && cursor.view(0) == "wal") return;
      throw Fault(
          unavailable("SQLite cannot use a write-ahead log on this file system: expected a local disk with "
                      "shared memory and locks"));
    } catch (const Fault&) {
      const int code = sqlite3_errcode(handle_);
      if ((code & 0xff) != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Connection::~Connection() {
  close();
}

void Connection::close() noexcept {
  for (auto& [sql, prepared] : statements_) sqlite3_finalize(prepared.statement);
  statements_.clear();
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

sqlite3_stmt* Connection::prepare(std::string_view sql, bool kept) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      kept ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
  if (code != SQLITE_OK) {
    const auto detail = tells_no_data(code) ? std::string(sqlite3_errmsg(handle_)) : std::string();
    throw Fault(failure_of(code, "prepare a statement", detail));
  }
  if (statement == nullptr) throw Fault(internal("SQLite was given an empty statement"));
  return statement;
}

void Connection::script(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return;
  note(code);
  const auto detail = tells_no_data(code) ? std::string(sqlite3_errmsg(handle_)) : std::string();
  throw Fault(failure_of(code, "run a script", detail));
}

// A checkpoint every 64 MiB: the queue's pages, written again and again, then reach the file once for many
// times in the log. Where less than that is free, as soon as the log is as long as what is left: so the file
// has room to grow by all that the log holds. A log that fills a disk could never be emptied again.
void Connection::bound_log(const std::filesystem::path& file) {
  file_ = file.string();
  auto pages = query("PRAGMA page_size");
  page_size_ = pages.next() ? pages.int64(0) : 0;
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3* handle, const char* name, int frames) {
        if (static_cast<Connection*>(self)->log_is_long(frames)) sqlite3_wal_checkpoint(handle, name);
        return SQLITE_OK;  // what was committed is; a checkpoint that failed is made up for by the next one
      },
      this);
}

bool Connection::log_is_long(std::int64_t frames) const {
  const std::int64_t bytes = frames * page_size_;
  if (bytes >= kLongestLog) return true;
  struct statvfs disk {};
  if (statvfs(file_.c_str(), &disk) != 0) return false;
  return static_cast<std::uint64_t>(bytes) >= disk.f_bavail * disk.f_frsize;
}

void Connection::note(int code) {
  if ((code & 0xff) == SQLITE_FULL) disk_was_full_ = true;
}

void Connection::empty_log() {
  query("PRAGMA wal_checkpoint(TRUNCATE)").next();
  disk_was_full_ = false;
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_);
}

std::int64_t Connection::last_insert_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

void Connection::roll_back() noexcept {
  // Some errors (FULL, IOERR) have rolled back already.
  if (!in_transaction()) return;
  try {
    run("ROLLBACK");
  } catch (...) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace collect::sqlite
