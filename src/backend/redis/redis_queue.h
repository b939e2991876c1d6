// SPDX-License-Identifier: Apache-2.0
// The queue port on Redis lists. For a stage named Q: Q is a list (LPUSH at the head, taken from the tail),
// Q:delayed a sorted set by Unix seconds, Q:dead a list (newest at the head). Beside them Q:claim:<worker>
// (list), Q:leases (sorted set, worker by expiry in ms), Q:fence, Q:busy (hash, system -> worker) and
// Q:strikes (hash, SHA-256 of a text -> "count attempt", the attempt that struck last). Two delayed messages
// with the very same text are one member of the sorted set: they have one id, so one effect.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backend/redis/connection.h"
#include "backend/redis/scripts.h"
#include "queue/queue.h"

namespace collect::redis {

struct RedisQueueOptions {
  ConnectionOptions connection = {};
  // By queue::Stage.
  std::array<std::string, 3> names = {"collect:inventory", "collect:processing", "collect:notifications"};
  std::uint64_t max_depth = 0;  // ready and delayed together, per stage; 0: no limit
  Duration lease = std::chrono::seconds(15);
};

class RedisQueue final : public queue::Queue {
 public:
  // Asks the server once. `invalid` when it is older than Redis 7, or a cluster on which the names do not
  // share a hash tag ("{collect}:inventory", …); `unavailable` when it cannot be reached.
  static Result<std::unique_ptr<RedisQueue>> open(RedisQueueOptions options);

  // As of open().
  [[nodiscard]] const ServerFacts& facts() const { return facts_; }

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

  // Messages of another engine join that part in this order (delayed ones by their time), all or none, never
  // refused for depth.
  Result<void> put(queue::Stage stage, queue::Part part, std::span<const queue::Delayed> messages);

 private:
  struct Keys {
    std::string ready, delayed, dead, leases, fence, busy, strikes, claim_prefix;
  };
  // What this process knows of a worker's claim.
  struct Held {
    std::string token;
    std::vector<std::string> systems;
  };
  using Holder = std::pair<queue::Stage, std::string>;
  using Words = std::vector<std::string_view>;

  RedisQueue(RedisQueueOptions options, ServerFacts facts);
  [[nodiscard]] const Keys& keys(queue::Stage stage) const {
    return keys_.at(static_cast<std::size_t>(stage));
  }
  std::optional<Held> held(const Holder& holder);
  void forget(const Holder& holder, const std::string& token);
  Result<Reply> run(const Script& script, const Words& keys, const Words& arguments);
  Result<Reply> command(std::span<const std::string_view> words);
  Result<Reply> command(std::initializer_list<std::string_view> words) {
    return command(std::span(words.begin(), words.size()));
  }
  Result<void> end_leases_of_gone_processes(const Keys& own);

  const RedisQueueOptions options_;
  const ServerFacts facts_;
  const std::string lease_ms_;
  const std::string token_prefix_;  // tells this process's tokens from others'
  std::array<Keys, std::size(queue::kStages)> keys_;
  ConnectionPool pool_;
  std::atomic<std::uint64_t> tokens_ = 0;
  std::mutex mutex_;
  std::map<Holder, Held> held_;  // guarded by mutex_
};

}  // namespace collect::redis
