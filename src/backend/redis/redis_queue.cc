// SPDX-License-Identifier: Apache-2.0
#include "backend/redis/redis_queue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"

namespace collect::redis {

using queue::Claim;
using queue::ClaimLimits;
using queue::Depth;
using queue::Settled;
using queue::Settlement;
using queue::Stage;
using queue::WorkerId;

namespace {

// The part of a key that a cluster hashes, when it has one (Redis cluster specification, "Hash tags").
std::string_view hash_tag(std::string_view key) {
  const auto open = key.find('{');
  if (open == std::string_view::npos) return {};
  const auto close = key.find('}', open + 1);
  return close == std::string_view::npos ? std::string_view() : key.substr(open + 1, close - open - 1);
}

Result<void> check_server(const ServerFacts& facts, const RedisQueueOptions& options) {
  if (facts.major_version < 7) {
    return invalid(fmt::format("the queue needs Redis 7 or newer, the server is {}", facts.version));
  }
  const auto tag = hash_tag(options.names.front());
  const bool together =
      !tag.empty() && std::all_of(options.names.begin(), options.names.end(),
                                  [tag](const auto& name) { return hash_tag(name) == tag; });
  if (facts.cluster && !together) {
    return invalid(
        "the server is a Redis cluster: the queues' names need one hash tag in common, as in "
        "{collect}:inventory, "
        "{collect}:processing, {collect}:notifications");
  }
  return {};
}

std::vector<std::string> systems_of(const std::vector<std::string>& texts) {
  std::vector<std::string> systems;
  for (const auto& text : texts) {
    if (const auto system = queue::system_of(text); !system.empty()) systems.emplace_back(system);
  }
  std::sort(systems.begin(), systems.end());
  systems.erase(std::unique(systems.begin(), systems.end()), systems.end());
  return systems;
}

// The score of a delayed message: Unix seconds.
std::string seconds(Time time) {
  const auto micros = time.time_since_epoch().count();
  return fmt::format("{}.{:06}", micros / 1000000, micros % 1000000);
}

std::string strike_field(std::string_view text) {
  return to_hex(sha256(text));
}

}  // namespace

Result<std::unique_ptr<RedisQueue>> RedisQueue::open(RedisQueueOptions options) {
  auto connection = Connection::open(options.connection);
  if (!connection) return connection.failure();
  auto facts = server_facts(**connection);
  if (!facts) return facts.failure();
  if (auto checked = check_server(*facts, options); !checked) return checked.failure();
  return std::unique_ptr<RedisQueue>(new RedisQueue(std::move(options), *std::move(facts)));
}

RedisQueue::RedisQueue(RedisQueueOptions options, ServerFacts facts)
    : options_(std::move(options)),
      facts_(std::move(facts)),
      lease_ms_(
          std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(options_.lease).count())),
      token_prefix_(random_hex(8)),
      pool_(options_.connection) {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const auto& name = options_.names.at(i);
    keys_.at(i) = {.ready = name,
                   .delayed = name + ":delayed",
                   .dead = name + ":dead",
                   .leases = name + ":leases",
                   .fence = name + ":fence",
                   .busy = name + ":busy",
                   .strikes = name + ":strikes",
                   .claim_prefix = name + ":claim:"};
  }
}

// ---------------------------------------------------------------- talking

Result<Reply> RedisQueue::run(const Script& script, const Words& keys, const Words& arguments) {
  auto connection = pool_.take();
  if (!connection) return connection.failure();
  const std::string key_count = std::to_string(keys.size());
  Words words = {"EVALSHA", script.sha, key_count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  auto reply = (*connection)->command(words);
  // A server that was restarted or flushed does not know the script; nothing was run then.
  if (!reply && reply.failure().message.find("NOSCRIPT") != std::string::npos) {
    words[0] = "EVAL";
    words[1] = script.text;
    reply = (*connection)->command(words);
  }
  pool_.put_back(*std::move(connection));
  return reply;
}

Result<Reply> RedisQueue::command(std::span<const std::string_view> words) {
  auto connection = pool_.take();
  if (!connection) return connection.failure();
  auto reply = (*connection)->command(words);
  pool_.put_back(*std::move(connection));
  return reply;
}

std::optional<RedisQueue::Held> RedisQueue::held(const Holder& holder) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(holder);
  return found == held_.end() ? std::nullopt : std::optional(found->second);
}

void RedisQueue::forget(const Holder& holder, const std::string& token) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(holder);
  if (found != held_.end() && found->second.token == token) held_.erase(found);
}

// ---------------------------------------------------------------- the port

// Lua hashes each byte of a text that it is given, so texts go around it (docs/decisions/0024). Only LPUSH
// may be refused for want of memory: all the scripts are what empties a full Redis.
Result<void> RedisQueue::enqueue(Stage stage, std::span<const std::string> texts) {
  if (texts.empty()) return {};
  const Keys& own = keys(stage);
  if (options_.max_depth > 0) {
    const auto waiting = run(scripts::waiting(), {own.ready, own.delayed}, {});
    if (!waiting) return waiting.failure();
    if (static_cast<std::uint64_t>(waiting->integer()) + texts.size() > options_.max_depth) {
      return unavailable(fmt::format("the {} queue is full: {} messages wait at most",
                                     queue::to_string(stage), options_.max_depth));
    }
  }
  Words words = {"LPUSH", own.ready};
  words.insert(words.end(), texts.begin(), texts.end());
  const auto pushed = command(words);
  if (!pushed) return pushed.failure();
  return {};
}

Result<Claim> RedisQueue::claim(Stage stage, const WorkerId& worker, ClaimLimits limits) {
  const Keys& own = keys(stage);
  const std::string token = fmt::format("{}-{}", token_prefix_, ++tokens_);
  const std::string claim_key = own.claim_prefix + worker.text;
  const auto reply = run(scripts::claim(), {own.ready, own.leases, own.fence, own.busy, claim_key},
                         {worker.text, token, lease_ms_, std::to_string(limits.messages),
                          std::to_string(limits.bytes), own.claim_prefix});
  if (!reply) return reply.failure();
  Claim claim;
  const Holder holder(stage, worker.text);
  if (reply->size() < 2) {
    const std::lock_guard lock(mutex_);
    held_.erase(holder);
    return claim;
  }
  claim.adopted = reply->at(0).text() == "A";
  claim.texts.reserve(reply->size() - 1);
  for (std::size_t i = 1; i < reply->size(); ++i) claim.texts.emplace_back(reply->at(i).text());
  Held now{token, systems_of(claim.texts)};
  const std::lock_guard lock(mutex_);
  held_[holder] = std::move(now);
  return claim;
}

Result<bool> RedisQueue::renew(Stage stage, const WorkerId& worker) {
  const auto mine = held({stage, worker.text});
  if (!mine) return false;
  const auto reply =
      run(scripts::renew(), {keys(stage).leases, keys(stage).fence}, {worker.text, mine->token, lease_ms_});
  if (!reply) return reply.failure();
  return reply->integer() == 1;
}

Result<Settled> RedisQueue::settle(Stage stage, const WorkerId& worker, const Settlement& settlement) {
  const Holder holder(stage, worker.text);
  const auto mine = held(holder);
  if (!mine) return Settled::lease_lost;
  const Keys& own = keys(stage);
  const std::string claim_key = own.claim_prefix + worker.text;
  // Keys 8, 9, 10 are the stages' ready lists, for onward.
  const Words key_words = {own.leases,  own.fence, own.busy,       claim_key,      own.ready,
                           own.delayed, own.dead,  keys_[0].ready, keys_[1].ready, keys_[2].ready};
  static constexpr std::array<std::string_view, 3> kOnwardKeys = {"8", "9", "10"};

  const auto count = [](const auto& list) { return std::to_string(list.size()); };
  const std::array<std::string, 5> counts = {count(settlement.give_back), count(settlement.dead),
                                             count(settlement.delayed), count(settlement.onward),
                                             count(mine->systems)};
  std::vector<std::string> scores;
  scores.reserve(settlement.delayed.size());
  Words words = {worker.text, mine->token, counts[0]};
  words.insert(words.end(), settlement.give_back.rbegin(), settlement.give_back.rend());
  words.push_back(counts[1]);
  words.insert(words.end(), settlement.dead.begin(), settlement.dead.end());
  words.push_back(counts[2]);
  for (const auto& delayed : settlement.delayed) {
    words.push_back(scores.emplace_back(seconds(delayed.due)));
    words.push_back(delayed.text);
  }
  words.push_back(counts[3]);
  for (const auto& onward : settlement.onward) {
    words.push_back(kOnwardKeys.at(static_cast<std::size_t>(onward.stage)));
    words.push_back(onward.text);
  }
  words.push_back(counts[4]);
  words.insert(words.end(), mine->systems.begin(), mine->systems.end());

  const auto reply = run(scripts::settle(), key_words, words);
  if (!reply) return reply.failure();
  forget(holder, mine->token);
  return reply->integer() == 1 ? Settled::done : Settled::lease_lost;
}

Result<int> RedisQueue::strike(Stage stage, std::string_view text, std::string_view attempt) {
  const std::string field = strike_field(text);
  const auto reply = run(scripts::strike(), {keys(stage).strikes}, {field, attempt});
  if (!reply) return reply.failure();
  return static_cast<int>(reply->integer());
}

Result<void> RedisQueue::absolve(Stage stage, std::string_view text) {
  const auto reply = command({"HDEL", keys(stage).strikes, strike_field(text)});
  return reply ? Result<void>() : reply.failure();
}

Result<std::uint64_t> RedisQueue::upkeep(Stage stage) {
  const Keys& own = keys(stage);
  if (auto ended = end_leases_of_gone_processes(own); !ended) return ended.failure();
  std::uint64_t moved = 0;
  while (true) {
    const auto reply = run(scripts::promote(), {own.ready, own.delayed}, {});
    if (!reply) return reply.failure();
    if (reply->integer() == 0) return moved;
    moved += static_cast<std::uint64_t>(reply->integer());
  }
}

Result<void> RedisQueue::end_leases_of_gone_processes(const Keys& own) {
  const auto reply = command({"ZRANGE", own.leases, "0", "-1"});
  if (!reply) return reply.failure();
  auto workers = reply->texts();
  std::erase_if(workers, [](const auto& worker) { return !queue::is_gone(worker); });
  if (workers.empty()) return {};
  const auto ended = run(scripts::end_leases(), {own.leases}, Words(workers.begin(), workers.end()));
  return ended ? Result<void>() : ended.failure();
}

Result<Depth> RedisQueue::depth(Stage stage) {
  const Keys& own = keys(stage);
  const auto reply =
      run(scripts::depth(), {own.ready, own.delayed, own.dead, own.leases}, {own.claim_prefix});
  if (!reply) return reply.failure();
  const auto number = [&reply](std::size_t i) { return static_cast<std::uint64_t>(reply->at(i).integer()); };
  Depth depth{
      .ready = number(0), .claimed = number(1), .delayed = number(2), .dead = number(3), .oldest_ready = {}};
  if (const Reply next = reply->at(4); !next.is_nil()) {
    if (const auto message = queue::decode(next.text(), 1); message && message->created_at != Time{}) {
      depth.oldest_ready = message->created_at;
    }
  }
  return depth;
}

Result<std::vector<std::string>> RedisQueue::peek(Stage stage, queue::Part part, std::size_t limit) {
  if (limit == 0) return std::vector<std::string>();
  const Keys& own = keys(stage);
  const std::string last = std::to_string(limit - 1);
  const auto reply = part == queue::Part::dead ? command({"LRANGE", own.dead, "0", last})
                     : part == queue::Part::delayed
                         ? command({"ZRANGE", own.delayed, "0", last})
                         : command({"LRANGE", own.ready, "-" + std::to_string(limit), "-1"});
  if (!reply) return reply.failure();
  auto texts = reply->texts();
  if (part == queue::Part::ready) std::ranges::reverse(texts);  // the next one is the list's last
  return texts;
}

Result<bool> RedisQueue::take_dead(Stage stage, std::string_view text,
                                   std::optional<std::string_view> ready) {
  const Keys& own = keys(stage);
  const auto reply = ready ? run(scripts::take_dead(), {own.dead, own.ready}, {text, *ready})
                           : run(scripts::take_dead(), {own.dead, own.ready}, {text});
  if (!reply) return reply.failure();
  return reply->integer() == 1;
}

Result<void> RedisQueue::put(Stage stage, queue::Part part, std::span<const queue::Delayed> messages) {
  if (messages.empty()) return {};
  const Keys& own = keys(stage);
  const bool delayed = part == queue::Part::delayed;
  const std::string& key = delayed ? own.delayed : part == queue::Part::dead ? own.dead : own.ready;
  std::vector<std::string> scores;
  scores.reserve(messages.size());
  Words words = {delayed ? "ZADD" : "LPUSH", key};
  for (const auto& message : messages) {
    if (delayed) words.push_back(scores.emplace_back(seconds(message.due)));
    words.push_back(message.text);
  }
  const auto reply = command(words);
  return reply ? Result<void>() : reply.failure();
}

}  // namespace collect::redis
