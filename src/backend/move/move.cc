// SPDX-License-Identifier: Apache-2.0
#include "backend/move/move.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "backend/directory_lock.h"
#include "backend/engine.h"
#include "backend/move/queues.h"
#include "backend/move/tables.h"
#include "backend/postgres/term_store.h"
#include "backend/server_engine.h"
#include "backend/sqlite/migrations.h"
#include "base/ids.h"
#include "queue/worker_id.h"

namespace collect::backend {
namespace {

// Of the moves into a database, one at a time; "collmove" in ASCII.
constexpr std::int64_t kLock = 0x636f6c6c6d6f7665;
constexpr std::string_view kCheck = "check";
constexpr std::string_view kDone = "done";
// Longer than a runner, with the longest lease that there is, takes to renew its term.
constexpr std::chrono::seconds kRunnerRenews{12};

// How far a move is: the row 'move' of the target's collect_state, "<move> <part> <rows> <after>".
struct Mark {
  std::string move;
  std::string part;
  std::uint64_t rows = 0;
  std::optional<std::string> after;
};

std::string to_text(const Mark& mark) {
  return fmt::format("{} {} {} {}", mark.move, mark.part, mark.rows, mark.after.value_or(""));
}

std::optional<Mark> mark_from(std::string_view text) {
  Mark mark;
  std::string_view rest = text;
  const auto word = [&rest] {
    const auto blank = std::min(rest.find(' '), rest.size());
    const auto out = rest.substr(0, blank);
    rest.remove_prefix(std::min(blank + 1, rest.size()));
    return out;
  };
  mark.move = word();
  mark.part = word();
  const auto rows = word();
  if (std::from_chars(rows.data(), rows.data() + rows.size(), mark.rows).ec != std::errc())
    return std::nullopt;
  if (!rest.empty()) mark.after = std::string(rest);
  return mark;
}

postgres::SessionOptions session_of(const Settings& to) {
  return {.url = to.database_url, .statement_timeout = std::chrono::minutes(30)};
}

std::optional<Mark> read_mark(postgres::Connection& connection) {
  if (!connection.run("SELECT to_regclass('collect_state') IS NOT NULL").flag(0, 0)) return std::nullopt;
  const auto rows = connection.run("SELECT value FROM collect_state WHERE key = 'move'");
  return rows.empty() ? std::nullopt : mark_from(rows.view(0, 0));
}

// Which move it is, however often it is called.
Result<std::string> move_of(sqlite::Database& source, Time now) {
  return source.write([&](sqlite::Transaction& transaction) {
    transaction.run(
        "INSERT INTO collect_state(key, value, updated_at) VALUES ('move', ?1, ?2) ON CONFLICT DO NOTHING",
        new_uuid_v4(), now);
    auto row = transaction.query("SELECT value FROM collect_state WHERE key = 'move'");
    return row.next() ? row.text(0) : std::string();
  });
}

class Move {
 public:
  Move(sqlite::Database& source, const Settings& to, const Clock& clock, const TellMove& tell, std::string id,
       redis::RedisQueue& queue)
      : source_(source),
        pool_({.session = session_of(to), .max_connections = 2}),
        queue_(queue),
        clock_(clock),
        tell_(tell),
        id_(std::move(id)),
        form_(document_form(to)) {}

  Result<MoveReport> run(const std::function<Result<void>()>& at_last) {
    if (auto begun = begin(); !begun) return begun.failure();
    for (const MovedTable& table : moved_tables()) {
      if (auto moved = move_table(table); !moved) return moved.failure();
    }
    for (const QueuePart& part : queue_parts()) {
      if (auto moved = move_queue(part); !moved) return moved.failure();
    }
    if (auto checked = check(); !checked) return checked.failure();
    if (auto rest = at_last(); !rest) return rest.failure();
    if (auto finished = finish(); !finished) return finished.failure();
    return report_;
  }

 private:
  Result<void> begin();
  Result<void> check_empty();
  Result<void> check_unserved();
  Result<void> move_table(const MovedTable& table);
  Result<std::vector<Column>> columns(const MovedTable& table);
  Result<void> move_queue(const QueuePart& part);
  Result<void> check();
  Result<void> check_documents();
  Result<void> finish();

  // True: that part went in an earlier call. Leaves mark_ at the part that is to go.
  bool is_past(const std::string& part);
  void add_mark(postgres::Transaction& transaction) {
    transaction.add(
        "INSERT INTO collect_state (key, value, updated_at) VALUES ('move', $1, $2) "
        "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_at = EXCLUDED.updated_at",
        postgres::Params::of(to_text(mark_), clock_.now()));
  }

  sqlite::Database& source_;
  postgres::Pool pool_;
  redis::RedisQueue& queue_;
  const Clock& clock_;
  const TellMove& tell_;
  const std::string id_;
  const inventory::DocumentForm form_;
  Mark mark_;
  bool reached_ = false;  // the part that mark_ named when this call began
  bool resumed_ =
      false;  // the next messages may be in Redis already: an earlier call ended before it noted them
  MoveReport report_;
};

// ---------------------------------------------------------------- whether it may go

Result<void> Move::begin() {
  if (auto known = source_.read([](sqlite::Snapshot& snapshot) { return check_all_known(snapshot); }); !known)
    return known;
  const auto mark = pool_.read(
      [](postgres::Connection& connection, const postgres::Schema&) { return read_mark(connection); });
  if (!mark) return mark.failure();
  if (*mark && (*mark)->move != id_)
    return conflict(
        "the database was the target of a move from another directory: name an empty one (DATABASE_URL)");
  if (*mark && (*mark)->part == kDone)
    return conflict(
        "this directory was moved to this database before: start `collect serve` with it, or name an empty "
        "one");
  if (!*mark) {
    if (auto empty = check_empty(); !empty) return empty;
  }
  if (auto unserved = check_unserved(); !unserved) return unserved;
  mark_ = mark->value_or(Mark{id_, std::string(moved_tables().front().name), 0, std::nullopt});
  resumed_ = mark->has_value();
  return pool_.write(
      [&](postgres::Transaction& transaction, const postgres::Schema&) { add_mark(transaction); });
}

Result<void> Move::check_empty() {
  for (const MovedTable& table : moved_tables()) {
    const auto any = pool_.read([&](postgres::Connection& connection, const postgres::Schema&) {
      return connection.run(fmt::format("SELECT EXISTS (SELECT FROM {})", table.name)).flag(0, 0);
    });
    if (!any) return any.failure();
    if (*any) {
      return conflict(
          fmt::format("the table {} of the database has rows: a move needs an empty database (DATABASE_URL)",
                      table.name));
    }
  }
  for (const auto stage : queue::kStages) {
    const auto depth = queue_.depth(stage);
    if (!depth) return depth.failure();
    if (depth->ready + depth->claimed + depth->delayed + depth->dead > 0) {
      return conflict(fmt::format(
          "the {} queue in Redis has messages: a move needs empty queues (REDIS_URL, REDIS_DB, QUEUE_*_NAME)",
          queue::to_string(stage)));
    }
  }
  return {};
}

Result<void> Move::check_unserved() {
  postgres::TermStore terms(pool_);
  const auto before = terms.current();
  if (!before) return before.failure();
  if (before->runner.empty() || queue::is_gone(before->runner)) return {};
  std::this_thread::sleep_for(kRunnerRenews);
  const auto after = terms.current();
  if (!after) return after.failure();
  if (*after == *before) return {};
  return conflict(
      fmt::format("a `collect serve` uses the database (it is {}): stop it first", after->runner));
}

// ---------------------------------------------------------------- tables

bool Move::is_past(const std::string& part) {
  if (reached_) {
    mark_ = {id_, part, 0, std::nullopt};
  }
  reached_ = reached_ || mark_.part == part;
  return !reached_;
}

Result<std::vector<Column>> Move::columns(const MovedTable& table) {
  return source_.read([&](sqlite::Snapshot& snapshot) {
    return pool_.read([&](postgres::Connection& connection, const postgres::Schema&) {
      return columns_of(snapshot, connection, table);
    });
  });
}

Result<void> Move::move_table(const MovedTable& table) {
  const auto total = source_.read([&](sqlite::Snapshot& snapshot) {
    auto row = snapshot.query(fmt::format("SELECT count(*) FROM {}", table.name));
    return row.next() ? static_cast<std::uint64_t>(row.int64(0)) : 0;
  });
  if (!total) return total.failure();
  report_.parts.push_back({std::string(table.name), *total});
  if (is_past(std::string(table.name))) return {};
  const auto from_source = columns(table);
  if (!from_source) return from_source.failure();
  auto all = *from_source;
  std::optional<inventory::DocumentForm> form;
  if (table.name == "inventory_records") {
    form = form_;
    for (auto& column : document_columns()) all.push_back(std::move(column));
  }
  while (true) {
    const auto chunk = source_.read([&](sqlite::Snapshot& snapshot) {
      return read_chunk(snapshot, table, *from_source, mark_.after, form);
    });
    if (!chunk) return chunk.failure();
    if (chunk->rows == 0) return {};
    report_.damaged += chunk->damaged;
    mark_.rows += chunk->rows;
    mark_.after = chunk->last;
    const auto written = pool_.write([&](postgres::Transaction& transaction, const postgres::Schema&) {
      write_chunk(transaction, table, all, *chunk);
      add_mark(transaction);
    });
    if (!written)
      return Failure{written.failure().kind, fmt::format("{}: {}", table.name, written.failure().message)};
    tell_(std::string(table.name), mark_.rows, *total);
  }
}

// ---------------------------------------------------------------- queues

// Between Redis and the mark there is no transaction: what was put and not noted is put again. That makes no
// second delayed message and no second dead letter, and a second ready one has no effects.
Result<void> Move::move_queue(const QueuePart& part) {
  const auto name = name_of(part);
  const auto total = source_.read([&](sqlite::Snapshot& snapshot) { return count_messages(snapshot, part); });
  if (!total) return total.failure();
  report_.parts.push_back({name, *total});
  if (is_past(name)) return {};
  while (mark_.rows < *total) {
    const auto messages =
        source_.read([&](sqlite::Snapshot& snapshot) { return read_messages(snapshot, part, mark_.rows); });
    if (!messages) return messages.failure();
    if (resumed_ && part.part == queue::Part::dead) {
      for (const auto& message : *messages) {
        if (auto taken = queue_.take_dead(part.stage, message.text, std::nullopt); !taken)
          return taken.failure();
      }
    }
    resumed_ = false;
    if (auto put = queue_.put(part.stage, part.part, *messages); !put) return put;
    mark_.rows += messages->size();
    const auto noted = pool_.write(
        [&](postgres::Transaction& transaction, const postgres::Schema&) { add_mark(transaction); });
    if (!noted) return noted;
    tell_(name, mark_.rows, *total);
  }
  return {};
}

// ---------------------------------------------------------------- whether all came

Result<void> Move::check() {
  reached_ = true;
  mark_ = {id_, std::string(kCheck), 0, std::nullopt};
  const std::uint64_t tables = moved_tables().size();
  for (std::uint64_t i = 0; i < tables; ++i) {
    const MovedTable& table = moved_tables().at(i);
    const auto compared = columns(table);
    if (!compared) return compared.failure();
    const auto here =
        source_.read([&](sqlite::Snapshot& snapshot) { return source_sums(snapshot, table, *compared); });
    if (!here) return here.failure();
    const auto there = pool_.read([&](postgres::Connection& connection, const postgres::Schema&) {
      return target_sums(connection, table, *compared);
    });
    if (!there) return there.failure();
    if (*here != *there) {
      const auto differs = std::ranges::mismatch(*here, *there).in1;
      return internal(
          fmt::format("the table {} is not the same on both sides, first for \"{}\": empty the database "
                      "and the queues, and move anew",
                      table.name, differs == here->end() ? "" : differs->first));
    }
    if (table.name == "systems") report_.systems = here->size();
    tell_(std::string(kCheck), i + 1, tables);
  }
  if (auto documents = check_documents(); !documents) return documents;
  for (const QueuePart& part : queue_parts()) {
    const auto depth = queue_.depth(part.stage);
    if (!depth) return depth.failure();
    const auto there = part.part == queue::Part::dead      ? depth->dead
                       : part.part == queue::Part::delayed ? depth->delayed
                                                           : depth->ready;
    const auto here = std::ranges::find(report_.parts, name_of(part), &MovedPart::name)->rows;
    // Two delayed messages of one text are one member of a sorted set; one put twice is one more in a list.
    const bool fine =
        part.part == queue::Part::ready ? there >= here : there <= here && (there > 0) == (here > 0);
    if (!fine) return internal(fmt::format("{}: {} messages went, {} are there", name_of(part), here, there));
  }
  return {};
}

Result<void> Move::check_documents() {
  const auto here = source_.read([](sqlite::Snapshot& snapshot) {
    auto row = snapshot.query(
        "SELECT count(*) FROM inventory_records r WHERE EXISTS (SELECT 1 FROM packed_documents WHERE "
        "record_id = r.id)"
        " OR EXISTS (SELECT 1 FROM inventory_documents WHERE record_id = r.id)");
    return row.next() ? row.int64(0) : 0;
  });
  if (!here) return here.failure();
  const auto there = pool_.read([](postgres::Connection& connection, const postgres::Schema&) {
    return connection
        .run("SELECT count(*) FROM inventory_records WHERE data IS NOT NULL OR packed IS NOT NULL")
        .int64(0, 0);
  });
  if (!there) return there.failure();
  if (*here != *there)
    return internal(fmt::format("{} records had a document, {} have one now", *here, *there));
  return {};
}

Result<void> Move::finish() {
  mark_ = {id_, std::string(kDone), 0, std::nullopt};
  return source_.read([&](sqlite::Snapshot& snapshot) {
    return pool_.write([&](postgres::Transaction& transaction, const postgres::Schema&) {
      for (const MovedTable& table : moved_tables()) continue_numbering(snapshot, transaction, table);
      transaction.add("ANALYZE");
      add_mark(transaction);
    });
  });
}

}  // namespace

Result<MoveReport> move_embedded(const std::filesystem::path& from, const Settings& to, const Clock& clock,
                                 const TellMove& tell, const std::function<Result<void>()>& at_last) {
  const auto file = from / "collect.db";
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error))
    return not_found(
        fmt::format("there is no {}: expected the data directory of an embedded Collect", file.string()));
  const auto lock = DirectoryLock::take(from);
  if (!lock) return lock.failure();
  const auto source = sqlite::Database::open(file, {});
  if (!source) return source.failure();
  if (auto migrated = sqlite::migrate(**source, clock.now()); !migrated) return migrated.failure();
  const auto id = move_of(**source, clock.now());
  if (!id) return id.failure();
  const auto queue = open_redis_queue(to, 0);
  if (!queue) return queue.failure();
  try {
    postgres::Connection alone(session_of(to));
    if (!alone.run("SELECT pg_try_advisory_lock($1)", postgres::Params::of(kLock)).flag(0, 0))
      return conflict("another process moves into this database");
    return Move(**source, to, clock, tell, *id, **queue).run(at_last);
  } catch (const postgres::Fault& fault) {
    return fault.failure();
  }
}

Result<void> check_moved_whole(const Settings& to) {
  try {
    postgres::Connection connection({.url = to.database_url});
    const auto mark = read_mark(connection);
    if (!mark || mark->part == kDone) return {};
    return conflict(
        "`collect migrate --from` into this database is not done: run it again, it goes on where it was");
  } catch (const postgres::Fault& fault) {
    return fault.failure();
  }
}

}  // namespace collect::backend
