// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/pool.h"

#include <fmt/format.h>

namespace collect::postgres {

Transaction::Transaction(Connection& connection, Plan plan, const Fence& fence)
    : connection_(connection), plan_(plan), fence_(fence) {}

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
  if (fence_) {
    const auto term = fence_();
    if (!term) throw Fault(conflict("the term of this runner is over: nothing was written"));
    add("SELECT collect_check_term($1)", Params::of(*term));
  }
  waiting_.push_back({"COMMIT", {}, true});
  const auto sent = std::exchange(waiting_, {});
  const auto answers = connection_.run(sent);
  over_ = true;
  const auto tag = answers.back().tag();
  if (tag != "COMMIT") {
    throw Fault(unavailable(fmt::format("PostgreSQL answered {} to COMMIT: nothing was written", tag)));
  }
}

Pool::Pool(PoolOptions options) : sessions_(new Sessions{.options = std::move(options)}) {}

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
  std::unique_lock lock(sessions_->mutex);
  if (!sessions_->free.wait_for(lock, sessions_->options.checkout_timeout,
                                [&] { return sessions_->leased < sessions_->options.max_connections; })) {
    throw Fault(unavailable(
        fmt::format("all {} sessions with PostgreSQL were busy for {} ms (DATABASE_MAX_CONNS)",
                    sessions_->options.max_connections, sessions_->options.checkout_timeout.count())));
  }
  ++sessions_->leased;
  while (!sessions_->idle.empty()) {
    auto connection = std::move(sessions_->idle.back());
    sessions_->idle.pop_back();
    if (connection->still_open()) return connection;
  }
  lock.unlock();
  try {
    return std::make_unique<Connection>(sessions_->options.session);
  } catch (...) {
    check_in(nullptr);
    throw;
  }
}

void Pool::check_in(std::unique_ptr<Connection> connection) noexcept {
  {
    const std::lock_guard lock(sessions_->mutex);
    --sessions_->leased;
    if (connection && connection->usable()) sessions_->idle.push_back(std::move(connection));
  }
  sessions_->free.notify_one();
}

std::shared_ptr<const Schema> Pool::schema(Connection& connection) {
  {
    const std::lock_guard lock(sessions_->mutex);
    if (sessions_->schema) return sessions_->schema;
  }
  auto found = std::make_shared<const Schema>(read_schema(connection));
  const std::lock_guard lock(sessions_->mutex);
  if (found->complete()) sessions_->schema = found;
  return found;
}

void Pool::forget_schema() {
  const std::lock_guard lock(sessions_->mutex);
  sessions_->schema.reset();
}

}  // namespace collect::postgres
