// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/sqlite_queue.h"

#include <fmt/format.h>

#include "base/hash.h"

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

void insert(Transaction& transaction, Stage stage, std::string_view state, std::int64_t position,
            std::string_view text) {
  transaction.run("INSERT INTO queue_messages(stage, state, position, system_id) VALUES (?, ?, ?, ?)",
                  to_string(stage), state, position, queue::system_of(text));
  transaction.run("INSERT INTO queue_texts(message_id, text) VALUES (?, ?)", transaction.last_insert_id(),
                  Blob{text});
}

void take_lease(Transaction& transaction, Stage stage, const WorkerId& worker, Time until, bool adopted) {
  transaction.run(
      "INSERT INTO queue_leases(stage, worker, expires_at, adopted) VALUES (?, ?, ?, ?) "
      "ON CONFLICT(stage, worker) DO UPDATE SET expires_at = excluded.expires_at, adopted = excluded.adopted",
      to_string(stage), worker.text, until, adopted);
}

void drop_lease(Transaction& transaction, Stage stage, std::string_view worker) {
  transaction.run("DELETE FROM queue_leases WHERE stage = ? AND worker = ?", to_string(stage), worker);
}

// Absent: no lease.
std::optional<bool> lease_was_adopted(Transaction& transaction, Stage stage, const WorkerId& worker) {
  auto row = transaction.query("SELECT adopted FROM queue_leases WHERE stage = ? AND worker = ?",
                               to_string(stage), worker.text);
  if (!row.next()) return std::nullopt;
  return row.flag(0);
}

std::vector<std::string> claimed_texts(Transaction& transaction, Stage stage, const WorkerId& worker) {
  std::vector<std::string> texts;
  auto row = transaction.query(
      "SELECT t.text FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
      "WHERE m.stage = ? AND m.worker = ? ORDER BY m.position, m.id",
      to_string(stage), worker.text);
  while (row.next()) texts.push_back(row.text(0));
  return texts;
}

// False: nobody's lease has run out.
bool adopt(Transaction& transaction, Stage stage, const WorkerId& worker, Time now) {
  std::string other;
  {
    auto row = transaction.query(
        "SELECT worker FROM queue_leases WHERE stage = ? AND expires_at <= ? ORDER BY expires_at LIMIT 1",
        to_string(stage), now);
    if (!row.next()) return false;
    other = row.text(0);
  }
  transaction.run("UPDATE queue_messages SET worker = ? WHERE stage = ? AND worker = ?", worker.text,
                  to_string(stage), other);
  drop_lease(transaction, stage, other);
  return true;
}

bool is_busy_elsewhere(Transaction& transaction, Stage stage, std::string_view system,
                       const WorkerId& worker) {
  if (system.empty()) return false;
  return transaction
      .query(
          "SELECT 1 FROM queue_messages WHERE stage = ? AND system_id = ? AND worker IS NOT NULL AND worker "
          "<> ?",
          to_string(stage), system, worker.text)
      .next();
}

std::vector<std::string> take(Transaction& transaction, Stage stage, const WorkerId& worker,
                              ClaimLimits limits) {
  std::vector<std::string> texts;
  std::vector<std::int64_t> ids;
  std::size_t bytes = 0;
  {
    auto row = transaction.query(
        "SELECT m.id, m.system_id, t.text FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
        "WHERE m.stage = ? AND m.state = 'ready' ORDER BY m.position, m.id",
        to_string(stage));
    while (texts.size() < limits.messages && row.next()) {
      const auto text = row.view(2);
      if (!texts.empty() && bytes + text.size() > limits.bytes) break;
      if (is_busy_elsewhere(transaction, stage, row.view(1), worker)) break;
      bytes += text.size();
      ids.push_back(row.int64(0));
      texts.emplace_back(text);
    }
  }
  for (const auto id : ids) {
    transaction.run("UPDATE queue_messages SET state = 'claimed', worker = ? WHERE id = ?", worker.text, id);
  }
  return texts;
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
          "SELECT sum(messages) FROM queue_depths WHERE stage = ? AND state IN ('ready', 'delayed')",
          to_string(stage));
      const auto waiting = row.next() ? static_cast<std::uint64_t>(row.int64(0)) : 0;
      if (waiting + texts.size() > options_.max_depth) {
        return unavailable(fmt::format("the {} queue is full: {} messages wait at most",
                                       queue::to_string(stage), options_.max_depth));
      }
    }
    auto position = end_of_line(transaction, stage, "ready");
    for (const auto& text : texts) insert(transaction, stage, "ready", position++, text);
    return {};
  });
}

Result<Claim> SqliteQueue::claim(Stage stage, const WorkerId& worker, ClaimLimits limits) {
  const auto worth = worth_claiming(stage, worker);
  if (!worth) return worth.failure();
  if (!*worth) return Claim{};
  return database_.write([&](Transaction& transaction) {
    const Time now = clock_.now();
    Claim claim;
    if (const auto was_adopted = lease_was_adopted(transaction, stage, worker)) {
      claim.texts = claimed_texts(transaction, stage, worker);
      claim.adopted = *was_adopted;
      if (claim.texts.empty()) drop_lease(transaction, stage, worker.text);
    }
    while (claim.texts.empty() && adopt(transaction, stage, worker, now)) {
      claim.texts = claimed_texts(transaction, stage, worker);
      claim.adopted = !claim.texts.empty();
    }
    if (claim.texts.empty()) {
      claim.adopted = false;
      claim.texts = take(transaction, stage, worker, limits);
    }
    if (!claim.texts.empty()) {
      take_lease(transaction, stage, worker, now + options_.lease, claim.adopted);
    }
    return claim;
  });
}

// An idle worker asks often; a look at the tables does not wait for those who write.
Result<bool> SqliteQueue::worth_claiming(Stage stage, const WorkerId& worker) {
  return database_.read([&](Snapshot& snapshot) {
    return snapshot
               .query("SELECT 1 FROM queue_leases WHERE stage = ? AND (worker = ? OR expires_at <= ?)",
                      to_string(stage), worker.text, clock_.now())
               .next() ||
           snapshot
               .query("SELECT 1 FROM queue_messages WHERE stage = ? AND state = 'ready'", to_string(stage))
               .next();
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
    if (!lease_was_adopted(transaction, stage, worker)) return Settled::lease_lost;
    drop_lease(transaction, stage, worker.text);
    transaction.run(
        "DELETE FROM queue_texts WHERE message_id IN "
        "(SELECT id FROM queue_messages WHERE stage = ? AND worker = ?)",
        to_string(stage), worker.text);
    if (transaction.run("DELETE FROM queue_messages WHERE stage = ? AND worker = ?", to_string(stage),
                        worker.text) == 0) {
      return Settled::lease_lost;
    }
    auto position =
        start_of_line(transaction, stage) - static_cast<std::int64_t>(settlement.give_back.size());
    for (const auto& text : settlement.give_back) insert(transaction, stage, "ready", position++, text);
    position = settlement.dead.empty() ? 0 : end_of_line(transaction, stage, "dead");
    for (const auto& text : settlement.dead) insert(transaction, stage, "dead", position++, text);
    for (const auto& delayed : settlement.delayed) {
      insert(transaction, stage, "delayed", microseconds(delayed.due), delayed.text);
    }
    for (const Stage next : queue::kStages) {
      position = end_of_line(transaction, next, "ready");
      for (const auto& onward : settlement.onward) {
        if (onward.stage == next) insert(transaction, next, "ready", position++, onward.text);
      }
    }
    return Settled::done;
  });
}

Result<int> SqliteQueue::strike(Stage stage, std::string_view text) {
  return database_.write([&](Transaction& transaction) {
    auto row = transaction.query(
        "INSERT INTO queue_strikes(stage, text_hash, strikes) VALUES (?, ?, 1) "
        "ON CONFLICT(stage, text_hash) DO UPDATE SET strikes = strikes + 1 RETURNING strikes",
        to_string(stage), hash_of(text));
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
      if (state == "claimed") depth.claimed = messages;
      if (state == "delayed") depth.delayed = messages;
      if (state == "dead") depth.dead = messages;
    }
    auto next = snapshot.query(
        "SELECT t.text FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
        "WHERE m.stage = ? AND m.state = 'ready' ORDER BY m.position, m.id LIMIT 1",
        to_string(stage));
    if (next.next()) {
      const auto message = queue::decode(next.view(0), 1);
      if (message && message->created_at != Time{}) depth.oldest_ready = message->created_at;
    }
    return depth;
  });
}

Result<std::vector<std::string>> SqliteQueue::peek(Stage stage, queue::Part part, std::size_t limit) {
  constexpr std::string_view kNextFirst =
      "SELECT t.text FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
      "WHERE m.stage = ? AND m.state = ? ORDER BY m.position, m.id LIMIT ?";
  constexpr std::string_view kNewestFirst =
      "SELECT t.text FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
      "WHERE m.stage = ? AND m.state = ? ORDER BY m.position DESC, m.id DESC LIMIT ?";
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
          "SELECT m.id FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id "
          "WHERE m.stage = ? AND m.state = 'dead' AND t.text = ? ORDER BY m.position, m.id LIMIT 1",
          to_string(stage), Blob{text});
      if (!row.next()) return false;
      id = row.int64(0);
    }
    transaction.run("DELETE FROM queue_texts WHERE message_id = ?", id);
    transaction.run("DELETE FROM queue_messages WHERE id = ?", id);
    if (ready) insert(transaction, stage, "ready", end_of_line(transaction, stage, "ready"), *ready);
    return true;
  });
}

}  // namespace collect::sqlite
