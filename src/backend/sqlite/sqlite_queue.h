// SPDX-License-Identifier: Apache-2.0
// The queue port on the embedded engine: the same states as rows (migrations/0012_queue_claims.sql). What
// enqueue() and settle() returned for is on disk. Costs depend on the batch, not on how deep the queue is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/sqlite/database.h"
#include "base/clock.h"
#include "queue/queue.h"

namespace collect::sqlite {

struct SqliteQueueOptions {
  std::uint64_t max_depth = 0;  // ready and delayed together, per stage; 0: no limit
  Duration lease = std::chrono::seconds(15);
};

class SqliteQueue final : public queue::Queue {
 public:
  // The database has its tables (migrate()); it and the clock outlive the queue.
  SqliteQueue(Database& database, const Clock& clock, SqliteQueueOptions options)
      : database_(database), clock_(clock), options_(options) {}

  Result<void> enqueue(queue::Stage stage, std::span<const std::string> texts) override;
  Result<queue::Claim> claim(queue::Stage stage, const queue::WorkerId& worker,
                             queue::ClaimLimits limits) override;
  Result<bool> renew(queue::Stage stage, const queue::WorkerId& worker) override;
  Result<queue::Settled> settle(queue::Stage stage, const queue::WorkerId& worker,
                                const queue::Settlement& settlement) override;
  Result<int> strike(queue::Stage stage, std::string_view text, std::string_view attempt) override;
  Result<void> absolve(queue::Stage stage, std::string_view text) override;
  Result<std::uint64_t> upkeep(queue::Stage stage) override;
  Result<queue::Depth> depth(queue::Stage stage) override;
  Result<std::vector<std::string>> peek(queue::Stage stage, queue::Part part, std::size_t limit) override;
  Result<bool> take_dead(queue::Stage stage, std::string_view text,
                         std::optional<std::string_view> ready) override;

 private:
  Result<bool> worth_claiming(queue::Stage stage, const queue::WorkerId& worker);
  Result<void> end_leases_of_gone_processes(queue::Stage stage);
  Result<std::uint64_t> promote(queue::Stage stage);

  Database& database_;
  const Clock& clock_;
  const SqliteQueueOptions options_;
};

}  // namespace collect::sqlite
