// SPDX-License-Identifier: Apache-2.0
// A bounded number of sessions, opened as they are needed and replaced when they broke. All functions are
// safe from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/postgres/connection.h"
#include "backend/postgres/schema.h"
#include "base/result.h"

namespace collect::postgres {

struct PoolOptions {
  SessionOptions session;
  std::size_t max_connections = 10;
  std::chrono::milliseconds checkout_timeout{10000};
};

// Whether a transaction finds its rows by index or means to read whole tables.
enum class Plan { index, scan };

// The number of the term in which this process is the runner (election/runner.h); nullopt: it is over.
using Fence = std::function<std::optional<std::int64_t>()>;

// BEGIN … COMMIT (read committed). BEGIN travels with the first statements, COMMIT with the last ones.
class Transaction {
 public:
  Transaction(Connection& connection, Plan plan, const Fence& fence);
  ~Transaction();  // rolls back what was not committed
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // To be sent with the next flush(), run() or commit().
  void add(std::string sql, Params params = {});
  // Sends what was added; the answers, in order.
  std::vector<Rows> flush();
  // flush() of this one (and what was added before); its answer.
  Rows run(std::string sql, Params params = {});
  // Sends what was added and COMMIT. Throws when the server says anything but "COMMIT": of a transaction that
  // failed it says "ROLLBACK", and that is no error to libpq. With a fence: throws `conflict`, and nothing is
  // written, when the term is over.
  void commit();

 private:
  Connection& connection_;
  const Plan plan_;
  const Fence& fence_;
  std::vector<Statement> waiting_;
  bool begun_ = false;
  bool over_ = false;
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

class Pool {
 public:
  // Connects to nobody yet.
  explicit Pool(PoolOptions options);
  // The same sessions; but what is written is written in the term that `fence` tells, or not at all
  // (`conflict`).
  Pool(const Pool& other, Fence fence) : sessions_(other.sessions_), fence_(std::move(fence)) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs f(Transaction&, const Schema&) -> T, Result<T> or void and commits. A failure or an exception of f
  // rolls back. `unavailable`: no session came free in time, no server, a deadlock, a timeout, a lost
  // connection; if that was during COMMIT, it is unknown whether it happened.
  template <class F>
  auto write(F&& f, Plan plan = Plan::index) ->
      typename detail::AsResult<std::invoke_result_t<F, Transaction&, const Schema&>>::type {
    using Value = std::invoke_result_t<F, Transaction&, const Schema&>;
    try {
      Lease lease(*this);
      Transaction transaction(lease.connection(), plan, fence_);
      if constexpr (std::is_void_v<Value>) {
        std::forward<F>(f)(transaction, lease.schema());
        transaction.commit();
        return {};
      } else {
        typename detail::AsResult<Value>::type result = std::forward<F>(f)(transaction, lease.schema());
        if (result.ok()) transaction.commit();
        return result;
      }
    } catch (const Fault& fault) {
      return fault.failure();
    }
  }

  // Runs f(Connection&, const Schema&) -> T or Result<T>, statement by statement.
  template <class F>
  auto read(F&& f) -> typename detail::AsResult<std::invoke_result_t<F, Connection&, const Schema&>>::type {
    try {
      Lease lease(*this);
      return std::forward<F>(f)(lease.connection(), lease.schema());
    } catch (const Fault& fault) {
      return fault.failure();
    }
  }

  // The tables have changed: their columns are looked up again.
  void forget_schema();

 private:
  // One session for as long as this lives.
  class Lease {
   public:
    explicit Lease(Pool& pool);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Connection& connection() { return *connection_; }
    const Schema& schema() { return *schema_; }

   private:
    Pool& pool_;
    std::unique_ptr<Connection> connection_;
    std::shared_ptr<const Schema> schema_;
  };
  std::unique_ptr<Connection> check_out();
  void check_in(std::unique_ptr<Connection> connection) noexcept;
  std::shared_ptr<const Schema> schema(Connection& connection);

  struct Sessions {
    const PoolOptions options;
    std::mutex mutex = {};
    std::condition_variable free = {};
    // All guarded by mutex.
    std::vector<std::unique_ptr<Connection>> idle = {};
    std::size_t leased = 0;
    std::shared_ptr<const Schema> schema = {};
  };
  const std::shared_ptr<Sessions> sessions_;
  const Fence fence_;  // empty: none
};

}  // namespace collect::postgres
