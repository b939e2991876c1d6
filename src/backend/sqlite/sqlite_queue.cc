// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/sqlite_queue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/point.h"

namespace collect::sqlite {

using queue::Claim;
using queue::ClaimLimits;
using queue::Depth;
using queue::Settled;
using queue::Settlement;
using queue::Stage;
using queue::WorkerId;

namespace {

// Moved per transaction, so that a flood of due messages does not hold up everybody who writes.
constexpr std::int64_t kPromotedAtOnce = 1000;

std::int64_t microseconds(Time time) {
  return time.time_since_epoch().count();
}

std::int64_t end_of_line(Transaction& transaction, Stage stage, std::string_view state) {
  auto row = transaction.query("SELECT max(position) FROM queue_messages WHERE stage = ? AND state = ?",
                               to_string(stage), state);
  return row.next() && !row.is_null(0) ? row.int64(0) + 1 : 0;
}

std::int64_t start_of_line(Transaction& transaction, Stage stage) {
  auto row = transaction.query("SELECT min(position) FROM queue_messages WHERE stage = ? AND state = 'ready'",
                               to_string(stage));
  return row.next() && !row.is_null(0) ? row.int64(0) : 0;
}

// Its depth is counted by who calls this.
void insert(Transaction& transaction, Stage stage, std::string_view state, std::int64_t position,
            std::string_view text) {
  transaction.run(
      "INSERT INTO queue_messages(stage, state, position, system_id, text) VALUES (?, ?, ?, ?, ?)",
      to_string(stage), state, position, queue::system_of(text), Blob{text});
}

void count(Transaction& transaction, Stage stage, std::string_view state, std::int64_t more) {
  if (more == 0) return;
  transaction.run("UPDATE queue_depths SET messages = messages + ? WHERE stage = ? AND state = ?", more,
                  to_string(stage), state);
}

std::int64_t size_of(const auto& list) {
  return static_cast<std::int64_t>(list.size());
}

// A claim as a lease lists it.
std::string listed(const std::vector<std::int64_t>& ids) {
  return fmt::format("[{}]", fmt::join(ids, ","));
}

void take_lease(Transaction& transaction, Stage stage, const WorkerId& worker, Time until,
                std::string_view messages) {
  transaction.run(
      "INSERT INTO queue_leases(stage, worker, expires_at, adopted, messages) VALUES (?, ?, ?, 0, ?)",
      to_string(stage), worker.text, until, messages);
}

void drop_lease(Transaction& transaction, Stage stage, std::string_view worker) {
  transaction.run("DELETE FROM queue_leases WHERE stage = ? AND worker = ?", to_string(stage), worker);
}

// The claim that the worker has already, under a lease that begins anew. No texts: it has none.
Claim held(Transaction& transaction, Stage stage, const WorkerId& worker, Time until) {
  Claim claim;
  {
    auto row = transaction.query(
        "SELECT l.adopted, m.text FROM queue_leases l CROSS JOIN json_each(l.messages) c"
        " CROSS JOIN queue_messages m ON m.id = c.value WHERE l.stage = ? AND l.worker = ? ORDER BY c.key",
        to_string(stage), worker.text);
    while (row.next()) {
      claim.adopted = row.flag(0);
      claim.texts.push_back(row.text(1));
    }
  }
  if (claim.texts.empty()) {
    drop_lease(transaction, stage, worker.text);
  } else {
    transaction.run("UPDATE queue_leases SET expires_at = ? WHERE stage = ? AND worker = ?", until,
                    to_string(stage), worker.text);
  }
  return claim;
}

// False: nobody's lease has run out.
bool adopt(Transaction& transaction, Stage stage, const WorkerId& worker, Time now) {
  return transaction.run(
             "UPDATE queue_leases SET worker = ?1, adopted = 1 WHERE stage = ?2 AND worker ="
             " (SELECT worker FROM queue_leases WHERE stage = ?2 AND expires_at <= ?3"
             "   ORDER BY expires_at LIMIT 1)",
             worker.text, to_string(stage), now) > 0;
}

// What the workers of a stage have: these messages are nobody else's, and these systems' others have to wait.
struct Taken {
  std::set<std::int64_t> messages;
  std::set<std::string, std::less<>> systems;
};

Taken taken(Transaction& transaction, Stage stage) {
  Taken out;
  auto row = transaction.query(
      "SELECT m.id, m.system_id FROM queue_leases l CROSS JOIN json_each(l.messages) c"
      " CROSS JOIN queue_messages m ON m.id = c.value WHERE l.stage = ?",
      to_string(stage));
  while (row.next()) {
    out.messages.insert(row.int64(0));
    if (!row.view(1).empty()) out.systems.insert(row.text(1));
  }
  return out;
}

struct Batch {
  std::vector<std::int64_t> ids;
  std::vector<std::string> texts;
};

// From the front of the line, for a worker that has nothing.
Batch take(Transaction& transaction, Stage stage, ClaimLimits limits) {
  const Taken others = taken(transaction, stage);
  Batch batch;
  std::size_t bytes = 0;
  auto line = transaction.query(
      "SELECT id FROM queue_messages WHERE stage = ? AND state = 'ready' ORDER BY position, id",
      to_string(stage));
  while (batch.ids.size() < limits.messages && line.next()) {
    const auto id = line.int64(0);
    if (others.messages.contains(id)) continue;
    auto row = transaction.query("SELECT system_id, text FROM queue_messages WHERE id = ?", id);
    if (!row.next() || others.systems.contains(row.view(0))) break;
    const auto text = row.view(1);
    if (!batch.ids.empty() && bytes + text.size() > limits.bytes) break;
    bytes += text.size();
    batch.ids.push_back(id);
    batch.texts.emplace_back(text);
  }
  return batch;
}

// The next message that no worker has.
std::optional<std::int64_t> first_ready(Snapshot& snapshot, Stage stage) {
  auto row = snapshot.query(
      "SELECT id FROM queue_messages WHERE stage = ?1 AND state = 'ready' AND id NOT IN"
      "   (SELECT c.value FROM queue_leases l, json_each(l.messages) c WHERE l.stage = ?1)"
      " ORDER BY position, id LIMIT 1",
      to_string(stage));
  return row.next() ? std::optional(row.int64(0)) : std::nullopt;
}

std::string text_of(Snapshot& snapshot, std::int64_t id) {
  auto row = snapshot.query("SELECT text FROM queue_messages WHERE id = ?", id);
  return row.next() ? row.text(0) : std::string();
}

std::string hash_of(std::string_view text) {
  return to_hex(sha256(text));
}

}  // namespace

Result<void> SqliteQueue::enqueue(Stage stage, std::span<const std::string> texts) {
  if (texts.empty()) return {};
  return database_.write([&](Transaction& transaction) -> Result<void> {
    if (options_.max_depth > 0) {
      auto row = transaction.query(
          "SELECT sum(messages) - (SELECT coalesce(sum(json_array_length(messages)), 0) FROM queue_leases"
          "   WHERE stage = ?1) FROM queue_depths WHERE stage = ?1 AND state IN ('ready', 'delayed')",
          to_string(stage));
      const auto waiting = row.next() ? static_cast<std::uint64_t>(row.int64(0)) : 0;
      if (waiting + texts.size() > options_.max_depth) {
        return unavailable(fmt::format("the {} queue is full: {} messages wait at most",
                                       queue::to_string(stage), options_.max_depth));
      }
    }
    auto position = end_of_line(transaction, stage, "ready");
    for (const auto& text : texts) insert(transaction, stage, "ready", position++, text);
    count(transaction, stage, "ready", size_of(texts));
    return {};
  });
}

Result<Claim> SqliteQueue::claim(Stage stage, const WorkerId& worker, ClaimLimits limits) {
  const auto worth = worth_claiming(stage, worker);
  if (!worth) return worth.failure();
  if (!*worth) return Claim{};
  return database_.write([&](Transaction& transaction) {
    const Time now = clock_.now();
    const Time until = now + options_.lease;
    Claim claim = held(transaction, stage, worker, until);
    while (claim.texts.empty() && adopt(transaction, stage, worker, now)) {
      claim = held(transaction, stage, worker, until);
    }
    if (!claim.texts.empty()) return claim;
    auto batch = take(transaction, stage, limits);
    if (!batch.ids.empty()) take_lease(transaction, stage, worker, until, listed(batch.ids));
    return Claim{std::move(batch.texts), false};
  });
}

// An idle worker asks often; a look at the tables does not wait for those who write.
Result<bool> SqliteQueue::worth_claiming(Stage stage, const WorkerId& worker) {
  return database_.read([&](Snapshot& snapshot) {
    return snapshot
               .query("SELECT 1 FROM queue_leases WHERE stage = ? AND (worker = ? OR expires_at <= ?)",
                      to_string(stage), worker.text, clock_.now())
               .next() ||
           first_ready(snapshot, stage).has_value();
  });
}

Result<bool> SqliteQueue::renew(Stage stage, const WorkerId& worker) {
  return database_.write([&](Transaction& transaction) {
    return transaction.run("UPDATE queue_leases SET expires_at = ? WHERE stage = ? AND worker = ?",
                           clock_.now() + options_.lease, to_string(stage), worker.text) == 1;
  });
}

Result<Settled> SqliteQueue::settle(Stage stage, const WorkerId& worker, const Settlement& settlement) {
  return database_.write([&](Transaction& transaction) {
    const auto claimed = [&]() -> std::optional<std::string> {
      auto row = transaction.query("SELECT messages FROM queue_leases WHERE stage = ? AND worker = ?",
                                   to_string(stage), worker.text);
      return row.next() ? std::optional(row.text(0)) : std::nullopt;
    }();
    if (!claimed) return Settled::lease_lost;
    drop_lease(transaction, stage, worker.text);
    const auto gone =
        transaction.run("DELETE FROM queue_messages WHERE id IN (SELECT value FROM json_each(?))", *claimed);
    if (gone == 0) return Settled::lease_lost;
    point(to_string(stage), "mid_settle");
    auto position = start_of_line(transaction, stage) - size_of(settlement.give_back);
    for (const auto& text : settlement.give_back) insert(transaction, stage, "ready", position++, text);
    position = settlement.dead.empty() ? 0 : end_of_line(transaction, stage, "dead");
    for (const auto& text : settlement.dead) insert(transaction, stage, "dead", position++, text);
    for (const auto& delayed : settlement.delayed) {
      insert(transaction, stage, "delayed", microseconds(delayed.due), delayed.text);
    }
    count(transaction, stage, "ready", size_of(settlement.give_back) - gone);
    count(transaction, stage, "dead", size_of(settlement.dead));
    count(transaction, stage, "delayed", size_of(settlement.delayed));
    for (const Stage next : queue::kStages) {
      const auto first = end_of_line(transaction, next, "ready");
      position = first;
      for (const auto& onward : settlement.onward) {
        if (onward.stage == next) insert(transaction, next, "ready", position++, onward.text);
      }
      count(transaction, next, "ready", position - first);
    }
    return Settled::done;
  });
}

Result<int> SqliteQueue::strike(Stage stage, std::string_view text, std::string_view attempt) {
  return database_.write([&](Transaction& transaction) {
    auto row = transaction.query(
        "INSERT INTO queue_strikes(stage, text_hash, strikes, attempt) VALUES (?, ?, 1, ?)"
        " ON CONFLICT(stage, text_hash) DO UPDATE"
        " SET strikes = strikes + (attempt <> excluded.attempt), attempt = excluded.attempt RETURNING "
        "strikes",
        to_string(stage), hash_of(text), attempt);
    const int strikes = row.next() ? static_cast<int>(row.int64(0)) : 0;
    while (row.next()) {
    }
    return strikes;
  });
}

Result<void> SqliteQueue::absolve(Stage stage, std::string_view text) {
  return database_.write([&](Transaction& transaction) {
    transaction.run("DELETE FROM queue_strikes WHERE stage = ? AND text_hash = ?", to_string(stage),
                    hash_of(text));
  });
}

Result<std::uint64_t> SqliteQueue::upkeep(Stage stage) {
  if (auto ended = end_leases_of_gone_processes(stage); !ended) return ended.failure();
  std::uint64_t moved = 0;
  while (true) {
    const auto some = promote(stage);
    if (!some) return some.failure();
    if (*some == 0) return moved;
    moved += *some;
  }
}

Result<void> SqliteQueue::end_leases_of_gone_processes(Stage stage) {
  auto workers = database_.read([&](Snapshot& snapshot) {
    std::vector<std::string> found;
    auto row = snapshot.query("SELECT worker FROM queue_leases WHERE stage = ?", to_string(stage));
    while (row.next()) {
      if (queue::is_gone(row.view(0))) found.push_back(row.text(0));
    }
    return found;
  });
  if (!workers) return workers.failure();
  if (workers->empty()) return {};
  return database_.write([&](Transaction& transaction) {
    for (const auto& worker : *workers) {
      transaction.run("UPDATE queue_leases SET expires_at = ? WHERE stage = ? AND worker = ?", Time{},
                      to_string(stage), worker);
    }
  });
}

Result<std::uint64_t> SqliteQueue::promote(Stage stage) {
  constexpr std::string_view kDue =
      "SELECT id FROM queue_messages WHERE stage = ? AND state = 'delayed' AND position <= ? "
      "ORDER BY position, id LIMIT ?";
  const auto now = microseconds(clock_.now());
  const auto any = database_.read(
      [&](Snapshot& snapshot) { return snapshot.query(kDue, to_string(stage), now, 1).next(); });
  if (!any) return any.failure();
  if (!*any) return std::uint64_t{0};
  return database_.write([&](Transaction& transaction) {
    std::vector<std::int64_t> ids;
    {
      auto row = transaction.query(kDue, to_string(stage), now, kPromotedAtOnce);
      while (row.next()) ids.push_back(row.int64(0));
    }
    auto position = end_of_line(transaction, stage, "ready");
    for (const auto id : ids) {
      transaction.run("UPDATE queue_messages SET state = 'ready', position = ? WHERE id = ?", position++, id);
    }
    count(transaction, stage, "delayed", -size_of(ids));
    count(transaction, stage, "ready", size_of(ids));
    return static_cast<std::uint64_t>(ids.size());
  });
}

Result<Depth> SqliteQueue::depth(Stage stage) {
  return database_.read([&](Snapshot& snapshot) {
    Depth depth;
    auto row = snapshot.query("SELECT state, messages FROM queue_depths WHERE stage = ?", to_string(stage));
    while (row.next()) {
      const auto state = row.view(0);
      const auto messages = static_cast<std::uint64_t>(row.int64(1));
      if (state == "ready") depth.ready = messages;
      if (state == "delayed") depth.delayed = messages;
      if (state == "dead") depth.dead = messages;
    }
    auto claims = snapshot.query("SELECT sum(json_array_length(messages)) FROM queue_leases WHERE stage = ?",
                                 to_string(stage));
    if (claims.next()) depth.claimed = static_cast<std::uint64_t>(claims.int64(0));
    depth.ready -= std::min(depth.ready, depth.claimed);
    if (const auto next = first_ready(snapshot, stage)) {
      const auto message = queue::decode(text_of(snapshot, *next), 1);
      if (message && message->created_at != Time{}) depth.oldest_ready = message->created_at;
    }
    return depth;
  });
}

Result<std::vector<std::string>> SqliteQueue::peek(Stage stage, queue::Part part, std::size_t limit) {
  constexpr std::string_view kNextFirst =
      "SELECT text FROM queue_messages WHERE stage = ?1 AND state = ?2 AND id NOT IN"
      "   (SELECT c.value FROM queue_leases l, json_each(l.messages) c WHERE l.stage = ?1)"
      " ORDER BY position, id LIMIT ?3";
  constexpr std::string_view kNewestFirst =
      "SELECT text FROM queue_messages WHERE stage = ?1 AND state = ?2"
      " ORDER BY position DESC, id DESC LIMIT ?3";
  return database_.read([&](Snapshot& snapshot) {
    std::vector<std::string> texts;
    const bool dead = part == queue::Part::dead;
    const std::string_view state = dead ? "dead" : part == queue::Part::ready ? "ready" : "delayed";
    auto row = snapshot.query(dead ? kNewestFirst : kNextFirst, to_string(stage), state,
                              static_cast<std::int64_t>(limit));
    while (row.next()) texts.push_back(row.text(0));
    return texts;
  });
}

Result<bool> SqliteQueue::take_dead(Stage stage, std::string_view text,
                                    std::optional<std::string_view> ready) {
  return database_.write([&](Transaction& transaction) {
    std::int64_t id = 0;
    {
      auto row = transaction.query(
          "SELECT id FROM queue_messages WHERE stage = ? AND state = 'dead' AND text = ?"
          " ORDER BY position, id LIMIT 1",
          to_string(stage), Blob{text});
      if (!row.next()) return false;
      id = row.int64(0);
    }
    transaction.run("DELETE FROM queue_messages WHERE id = ?", id);
    count(transaction, stage, "dead", -1);
    if (!ready) return true;
    insert(transaction, stage, "ready", end_of_line(transaction, stage, "ready"), *ready);
    count(transaction, stage, "ready", 1);
    return true;
  });
}

}  // namespace collect::sqlite
