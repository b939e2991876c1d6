// SPDX-License-Identifier: Apache-2.0
// One session with PostgreSQL. Used by one thread at a time; Pool (pool.h) hands sessions out. Statements go
// through libpq's pipeline: several cross in one round trip, and none waits longer than its deadline, also
// when the network swallows everything. Errors are Faults; after one of the session itself (lost, timed out)
// usable() is false for good.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/postgres/fault.h"
#include "backend/postgres/params.h"
#include "backend/postgres/rows.h"

namespace collect::postgres {

struct SessionOptions {
  std::string url;  // postgresql://… or key=value pairs, as libpq reads them
  std::chrono::seconds connect_timeout{5};
  // The server gives up on a statement after this, and Collect on the server two seconds later.
  std::chrono::milliseconds statement_timeout{30000};
};

struct Statement {
  std::string sql;
  Params params;
  // Prepared once for the session: for texts that come again. Without it the server plans for these values.
  bool kept = true;
};

class Connection {
 public:
  // Connects, and sets the session: UTC, UTF-8, ISO times, statement_timeout, and the planner's bias below.
  // Because the hot statements find few rows by index in tables that grow while their plans are kept, the
  // session avoids sequential scans; whoever means to read whole tables says so (pool.h, Plan::scan).
  // Throws `unavailable` when there is no server, `invalid` when the address is none.
  explicit Connection(const SessionOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // In one round trip and, unless a transaction is open, in one transaction. Throws the first statement's
  // Fault; those after it did not run.
  std::vector<Rows> run(std::span<const Statement> statements);
  Rows run(std::string sql, Params params = {});
  // A text of any number of statements without parameters; takes as long as it takes.
  void script(const std::string& sql);

  [[nodiscard]] bool usable() const { return usable_; }
  // Whether the server has ended the session, as far as this side has heard. For idle sessions.
  [[nodiscard]] bool still_open();

 private:
  using Clock = std::chrono::steady_clock;
  struct Sent {
    const Statement* statement;
    std::string name;  // of the prepared statement; empty: not kept
    bool prepares;
  };
  void connect();
  void set_up();
  Sent send(const Statement& statement);
  std::vector<Rows> receive(const std::vector<Sent>& sent);
  Rows next_result(Clock::time_point deadline);
  void end_of_statement(Clock::time_point deadline);
  void wait(Clock::time_point deadline);
  [[noreturn]] void lose(std::string_view what);
  void check_sent(int accepted);
  [[noreturn]] void fail(const Rows& error);

  const SessionOptions options_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> handle_{nullptr, &PQfinish};
  bool usable_ = true;
  std::unordered_map<std::string, std::string> prepared_;  // SQL text → name
  std::uint64_t names_ = 0;
};

}  // namespace collect::postgres
