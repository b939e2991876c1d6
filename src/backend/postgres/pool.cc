// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/pool.h"

#include <fmt/format.h>

namespace collect::postgres {

Transaction::Transaction(Connection& connection, Plan plan) : connection_(connection), plan_(plan) {}

Transaction::~Transaction() {
  if (!begun_ || over_ || !connection_.usable()) return;
  try {
    connection_.run("ROLLBACK");
  } catch (const Fault&) {
    // The session is gone, and the transaction with it.
  }
}

void Transaction::add(std::string sql, Params params) {
  if (!begun_) {
    begun_ = true;
    waiting_.push_back({"BEGIN ISOLATION LEVEL READ COMMITTED", {}, true});
    if (plan_ == Plan::scan) waiting_.push_back({"SET LOCAL enable_seqscan = on", {}, true});
  }
  waiting_.push_back({std::move(sql), std::move(params), plan_ == Plan::index});
}

std::vector<Rows> Transaction::flush() {
  const std::size_t extra = waiting_.empty() || !waiting_.front().sql.starts_with("BEGIN ") ? 0
                            : plan_ == Plan::scan                                           ? 2
                                                                                            : 1;
  const auto sent = std::exchange(waiting_, {});
  auto answers = connection_.run(sent);
  answers.erase(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(extra));
  return answers;
}

Rows Transaction::run(std::string sql, Params params) {
  add(std::move(sql), std::move(params));
  return std::move(flush().back());
}

void Transaction::commit() {
  over_ = !begun_;
  if (over_) return;
  waiting_.push_back({"COMMIT", {}, true});
  const auto sent = std::exchange(waiting_, {});
  const auto answers = connection_.run(sent);
  over_ = true;
  const auto tag = answers.back().tag();
  if (tag != "COMMIT") {
    throw Fault(unavailable(fmt::format("PostgreSQL answered {} to COMMIT: nothing was written", tag)));
  }
}

Pool::Pool(PoolOptions options) : options_(std::move(options)) {}

Pool::Lease::Lease(Pool& pool) : pool_(pool), connection_(pool.check_out()) {
  try {
    schema_ = pool.schema(*connection_);
  } catch (...) {
    pool_.check_in(std::move(connection_));
    throw;
  }
}

Pool::Lease::~Lease() {
  pool_.check_in(std::move(connection_));
}

std::unique_ptr<Connection> Pool::check_out() {
  std::unique_lock lock(mutex_);
  if (!free_.wait_for(lock, options_.checkout_timeout, [&] { return leased_ < options_.max_connections; })) {
    throw Fault(
        unavailable(fmt::format("all {} sessions with PostgreSQL were busy for {} ms (DATABASE_MAX_CONNS)",
                                options_.max_connections, options_.checkout_timeout.count())));
  }
  ++leased_;
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->still_open()) return connection;
  }
  lock.unlock();
  try {
    return std::make_unique<Connection>(options_.session);
  } catch (...) {
    check_in(nullptr);
    throw;
  }
}

void Pool::check_in(std::unique_ptr<Connection> connection) noexcept {
  {
    const std::lock_guard lock(mutex_);
    --leased_;
    if (connection && connection->usable()) idle_.push_back(std::move(connection));
  }
  free_.notify_one();
}

std::shared_ptr<const Schema> Pool::schema(Connection& connection) {
  {
    const std::lock_guard lock(mutex_);
    if (schema_) return schema_;
  }
  auto found = std::make_shared<const Schema>(read_schema(connection));
  const std::lock_guard lock(mutex_);
  if (found->complete()) schema_ = found;
  return found;
}

void Pool::forget_schema() {
  const std::lock_guard lock(mutex_);
  schema_.reset();
}

}  // namespace collect::postgres
