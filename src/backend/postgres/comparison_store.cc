// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/comparison_store.h"

#include <fmt/format.h>

#include <set>

#include "backend/postgres/documents.h"
#include "backend/postgres/facts.h"
#include "base/point.h"

namespace collect::postgres {
namespace {

using inventory::Compared;
using inventory::ComparisonQuestion;
using inventory::ComparisonState;
using inventory::RecordDiffs;

using States = std::map<SystemId, ComparisonState>;

constexpr std::string_view kPending =
    "SELECT s.id, p.id, p.timestamp, p.data_hash FROM unnest($1::{0}[]) AS s(id) CROSS JOIN LATERAL ("
    "SELECT id, timestamp, data_hash FROM inventory_records WHERE system_id = s.id AND processed_at IS NULL "
    "ORDER BY timestamp, id LIMIT $2) AS p ORDER BY s.id, p.timestamp, p.id";

constexpr std::string_view kBaseline =
    "SELECT s.id, b.id, b.timestamp, b.data_hash, b.held FROM unnest($1::{0}[]) AS s(id) CROSS JOIN LATERAL ("
    "SELECT id, timestamp FROM inventory_records WHERE system_id = s.id AND processed_at IS NULL "
    "ORDER BY timestamp, id LIMIT 1) AS f CROSS JOIN LATERAL ("
    "SELECT id, timestamp, data_hash, held FROM inventory_records WHERE system_id = s.id "
    "AND (timestamp, id) < (f.timestamp, f.id) AND NOT given_up ORDER BY timestamp DESC, id DESC LIMIT 1) AS "
    "b";

constexpr std::string_view kNewestProcessed =
    "SELECT s.id, n.id, n.timestamp FROM unnest($1::{0}[]) AS s(id) CROSS JOIN LATERAL ("
    "SELECT id, timestamp FROM inventory_records WHERE system_id = s.id AND processed_at IS NOT NULL "
    "ORDER BY timestamp DESC, id DESC LIMIT 1) AS n";

constexpr std::string_view kLastChanged =
    "SELECT system_id, field_path, max(created_at) FROM inventory_diffs "
    "WHERE system_id = ANY($1::{0}[]) AND created_at >= $2 GROUP BY system_id, field_path";

std::vector<std::string> askable(const Schema& schema, const ComparisonQuestion& question) {
  std::set<std::string> ids;
  for (const auto& id : question.systems) {
    if (schema.can_hold("systems.id", id.text()) &&
        schema.can_hold("inventory_records.system_id", id.text())) {
      ids.insert(id.text());
    }
  }
  return {ids.begin(), ids.end()};
}

// Only systems with a record that is pending or processed.
States states_from(const std::vector<Rows>& answers) {
  States states;
  const auto& pending = answers[1];
  for (int row = 0; row < pending.count(); ++row) {
    auto& state = states[SystemId(pending.text(row, 0))];
    state.pending.push_back(
        {RecordId{pending.int64(row, 1)}, pending.time(row, 2), "", pending.text(row, 3)});
  }
  const auto& newest = answers[3];
  for (int row = 0; row < newest.count(); ++row) {
    states[SystemId(newest.text(row, 0))].newest_processed = {newest.time(row, 2),
                                                              RecordId{newest.int64(row, 1)}};
  }
  for (auto& [id, state] : states) state.system_id = id;
  const auto each = [&](const Rows& rows, auto use) {
    for (int row = 0; row < rows.count(); ++row) {
      const auto place = states.find(SystemId(rows.text(row, 0)));
      if (place != states.end()) use(rows, row, place->second);
    }
  };
  each(answers[2], [](const Rows& rows, int row, ComparisonState& state) {
    state.baseline = {RecordId{rows.int64(row, 1)}, rows.time(row, 2), "", rows.text(row, 4),
                      rows.text(row, 3)};
  });
  if (answers.size() > 4) {
    each(answers[4], [](const Rows& rows, int row, ComparisonState& state) {
      state.last_changed.emplace(rows.text(row, 1), rows.time(row, 2));
    });
  }
  return states;
}

// Reading a document costs seventy times as much as reading its hash.
void read_documents(Transaction& transaction, const ComparisonQuestion& question, States& states) {
  std::set<RecordId> wanted;
  const auto is_wanted = [&](const auto& record) {
    return !question.has_document || !question.has_document(record.hash);
  };
  for (const auto& [id, state] : states) {
    if (state.baseline && is_wanted(*state.baseline)) wanted.insert(state.baseline->id);
    for (const auto& record : state.pending) {
      if (is_wanted(record)) wanted.insert(record.id);
    }
  }
  if (wanted.empty()) return;
  auto statement = select_documents(wanted);
  const auto stored = read_stored(transaction.run(std::move(statement.sql), std::move(statement.params)));
  // A damaged document is the record's misfortune, not its neighbours'.
  const auto give = [&](auto& record) {
    if (!wanted.contains(record.id)) return;
    auto document = document_of(stored, record.id);
    if (!document) {
      record.damage = document.failure().message;
    } else {
      record.document = std::move(*document).value_or("");
    }
  };
  for (auto& [id, state] : states) {
    if (state.baseline) give(*state.baseline);
    for (auto& record : state.pending) give(record);
  }
}

States lock_and_read(Transaction& transaction, const Schema& schema, const ComparisonQuestion& question) {
  const auto ids = askable(schema, question);
  const auto type = schema.type("inventory_records.system_id");
  add_system_lock(transaction, schema, ids);
  transaction.add(fmt::format(kPending, type), Params().texts(ids).add(question.max_records));
  transaction.add(fmt::format(kBaseline, type), Params().texts(ids));
  transaction.add(fmt::format(kNewestProcessed, type), Params().texts(ids));
  if (question.changed_since) {
    transaction.add(fmt::format(kLastChanged, schema.type("inventory_diffs.system_id")),
                    Params().texts(ids).add(*question.changed_since));
  }
  States states = states_from(transaction.flush());
  read_documents(transaction, question, states);
  return states;
}

struct Decided {
  SystemId system_id;
  RecordDiffs diffs;
};
struct Row {  // one change with its record
  const Decided* decided;
  const diff::Change* change;
};

void add_diffs(Transaction& transaction, const Schema& schema, const std::vector<Decided>& decided,
               Time now) {
  std::vector<Row> rows;
  for (const auto& one : decided) {
    for (const auto& change : one.diffs.changes) rows.push_back({&one, &change});
  }
  if (rows.empty()) return;
  Params params;
  params.array(rows, [](const Row& row) { return row.decided->system_id; })
      .array(rows, [](const Row& row) { return row.decided->diffs.previous_id; })
      .array(rows, [](const Row& row) { return row.decided->diffs.record_id; })
      .array(rows, [](const Row& row) { return diff::to_string(row.change->type); })
      .array(rows, [](const Row& row) { return std::string_view(row.change->category); })
      .array(rows, [](const Row& row) { return diff::to_string(row.change->severity); })
      .array(rows, [](const Row& row) { return std::string_view(row.change->field_path); })
      .array(rows, [](const Row& row) { return row.change->previous_value; })
      .array(rows, [](const Row& row) { return row.change->current_value; })
      .add(now);
  transaction.add(
      fmt::format(
          "INSERT INTO inventory_diffs (system_id, previous_id, current_id, diff_type, category, severity, "
          "field_path, previous_value, current_value, notification_sent, created_at) "
          "SELECT u.system_id, u.previous_id, u.current_id, u.diff_type, u.category, u.severity, "
          "u.field_path, u.previous_value::jsonb, u.current_value::jsonb, false, $10 "
          "FROM unnest($1::{}[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], "
          "$8::text[], $9::text[]) AS u(system_id, previous_id, current_id, diff_type, category, severity, "
          "field_path, previous_value, current_value)",
          schema.type("inventory_diffs.system_id")),
      std::move(params));
}

void settle_records(Transaction& transaction, const std::vector<Decided>& decided, Time now) {
  Params params;
  params.array(decided, [](const Decided& one) { return one.diffs.record_id; })
      .array(decided, [](const Decided& one) { return one.diffs.changes.size(); })
      .array(decided,
             [](const Decided& one) {
               return one.diffs.held.empty() ? std::nullopt : std::optional(std::string_view(one.diffs.held));
             })
      .array(decided, [](const Decided& one) { return one.diffs.given_up; })
      .add(now);
  const auto rows = transaction.run(
      "UPDATE inventory_records AS r SET processed_at = $5, has_changes = u.changes > 0, "
      "change_count = u.changes::integer, held = u.held, given_up = u.given_up "
      "FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[]) AS u(id, changes, held, given_up) "
      "WHERE r.id = u.id AND r.processed_at IS NULL",
      std::move(params));
  // The lock on the system keeps other comparisons out, but not for systems that have no row.
  if (static_cast<std::size_t>(rows.affected()) != decided.size()) {
    throw Fault(unavailable("records were settled by somebody else while they were compared; ask again"));
  }
}

}  // namespace

Result<std::vector<Compared>> ComparisonStore::compare(const ComparisonQuestion& question,
                                                       const inventory::DecideComparison& decide) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    std::vector<Decided> decided;
    std::vector<Compared> compared;
    for (const auto& [system_id, state] : lock_and_read(transaction, schema, question)) {
      if (state.pending.empty()) {
        compared.push_back({system_id, state.newest_processed->second, 0, true});
        continue;
      }
      for (auto& diffs : decide(state)) decided.push_back({system_id, std::move(diffs)});
    }
    if (decided.empty()) return compared;
    add_diffs(transaction, schema, decided, question.now);
    settle_records(transaction, decided, question.now);
    point("processing", "mid_transaction");
    for (const auto& one : decided) {
      compared.push_back({one.system_id, one.diffs.record_id, static_cast<int>(one.diffs.changes.size())});
    }
    return compared;
  });
}

Result<std::vector<inventory::UnfinishedRecord>> ComparisonStore::unfinished(Time before, std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows = connection.run(
        "SELECT system_id, id FROM inventory_records WHERE processed_at IS NULL AND created_at < $1 "
        "ORDER BY created_at, id LIMIT $2",
        Params::of(before, limit));
    std::vector<inventory::UnfinishedRecord> records;
    for (int row = 0; row < rows.count(); ++row) {
      records.push_back({SystemId(rows.text(row, 0)), RecordId{rows.int64(row, 1)}});
    }
    return records;
  });
}

}  // namespace collect::postgres
