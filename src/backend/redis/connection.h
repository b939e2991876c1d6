// SPDX-License-Identifier: Apache-2.0
// One connection to a Redis server: addressed by URL, with deadlines, and replies as values. A Connection
// belongs to one thread at a time; ConnectionPool is safe from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

struct redisContext;
struct redisReply;

namespace collect::redis {

struct ConnectionOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string unix_socket;  // instead of host and port when not empty
  std::string user;         // empty: the default user
  std::string password;     // empty: none
  int database = 0;
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds command_timeout{5000};
};

// redis://[[user]:password@]host[:port][/database] or unix://[[user]:password@]/path/to/socket[?db=database];
// user and password percent-encoded, an IPv6 host in brackets. What the URL does not say stays as in
// ConnectionOptions{}, with `default_database`. `invalid` says what is wrong without repeating the URL, which
// may hold a password.
Result<ConnectionOptions> parse_url(std::string_view url, int default_database);

// What the server answered. An error reply never gets here, see Connection.
class Reply {
 public:
  enum class Type { nil, integer, text, array };

  [[nodiscard]] Type type() const;
  [[nodiscard]] bool is_nil() const { return type() == Type::nil; }
  [[nodiscard]] std::int64_t integer() const;            // 0 when it is no integer
  [[nodiscard]] std::string_view text() const;           // of text and status; empty when it is neither
  [[nodiscard]] std::size_t size() const;                // of an array; else 0
  [[nodiscard]] Reply at(std::size_t i) const;           // an element; nil beyond the end
  [[nodiscard]] std::vector<std::string> texts() const;  // elements of an array

 private:
  friend class Connection;
  explicit Reply(std::shared_ptr<redisReply> reply) : reply_(std::move(reply)) {}
  std::shared_ptr<redisReply> reply_;
};

// Failures are `unavailable` when the server is not reached in time, closes the connection, or says that it
// cannot work now (LOADING, READONLY, OOM, MISCONF, BUSY, NOREPLICAS, MASTERDOWN, …) or lets nobody in
// (NOAUTH, WRONGPASS); other error replies are `internal`. After an `unavailable` it is open whether the
// command was run, unless it was refused by a reply. Messages hold the server's words, never arguments.
class Connection {
 public:
  // Connects, authenticates, selects the database.
  static Result<std::unique_ptr<Connection>> open(const ConnectionOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  using Arguments = std::span<const std::string_view>;
  Result<Reply> command(Arguments arguments);
  Result<Reply> command(std::initializer_list<std::string_view> arguments) {
    return command(Arguments(arguments.begin(), arguments.size()));
  }

  // For SUBSCRIBE: the next reply or message. Absent when none came within `patience`; the connection stays
  // usable.
  Result<std::optional<Reply>> receive(std::chrono::milliseconds patience);

  // False once the connection broke or its stream is out of step: open another.
  [[nodiscard]] bool usable() const;
  // usable(), and the server has not closed it while it lay idle.
  [[nodiscard]] bool still_open() const;

 private:
  explicit Connection(redisContext* context) : context_(context) {}
  Result<void> introduce(const ConnectionOptions& options);
  Failure broken(std::string_view doing);

  redisContext* context_;
};

// Idle connections for as many threads as ask.
class ConnectionPool {
 public:
  explicit ConnectionPool(ConnectionOptions options) : options_(std::move(options)) {}

  // An idle connection or a new one; where no descriptor is left for a new one, the next that is put back.
  Result<std::unique_ptr<Connection>> take();
  // Usable ones are kept for the next.
  void put_back(std::unique_ptr<Connection> connection);

  [[nodiscard]] const ConnectionOptions& options() const { return options_; }

 private:
  std::unique_ptr<Connection> take_idle();

  const ConnectionOptions options_;
  std::mutex mutex_;
  std::condition_variable put_back_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by mutex_
};

// What a server says about itself, for the banner, for doctor and for the refusals at start.
struct ServerFacts {
  std::string version;
  int major_version = 0;
  bool cluster = false;
  bool replica = false;
  std::optional<bool> append_only;  // absent: the server does not tell
  std::string append_fsync;         // "always", "everysec", "no"; empty: the server does not tell
  std::string maxmemory_policy;     // "noeviction", …; empty: the server does not tell
  std::uint64_t maxmemory = 0;      // bytes; 0: no limit
  std::uint64_t used_memory = 0;    // bytes
  bool write_failing = false;       // the last write of its append-only file or snapshot
  Time now{};                       // by its clock
};
Result<ServerFacts> server_facts(Connection& connection);

}  // namespace collect::redis
