// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/comparison_store.h"

#include <algorithm>
#include <set>

#include "backend/sqlite/documents.h"
#include "base/point.h"

namespace collect::sqlite {
namespace {

using inventory::Compared;
using inventory::ComparisonQuestion;
using inventory::ComparisonState;
using inventory::RecordDiffs;

// Into a PendingRecord or a Baseline. A damaged document is the record's misfortune, not its neighbours'.
template <class Record>
void read_document_of(Snapshot& snapshot, const ComparisonQuestion& question, Record& record) {
  if (question.has_document && question.has_document(record.hash)) return;
  auto document = read_document(snapshot, record.id);
  if (!document) {
    record.damage = document.failure().message;
  } else {
    record.document = std::move(*document).value_or("");
  }
}

void read_pending(Snapshot& snapshot, const ComparisonQuestion& question, ComparisonState& state) {
  auto row = snapshot.query(
      "SELECT id, timestamp, data_hash FROM inventory_records WHERE system_id = ? AND processed_at IS NULL"
      " ORDER BY timestamp, id LIMIT ?",
      state.system_id, question.max_records);
  while (row.next()) {
    state.pending.push_back({RecordId{row.int64(0)}, row.time(1), "", row.text(2)});
    read_document_of(snapshot, question, state.pending.back());
  }
}

void read_baseline(Snapshot& snapshot, const ComparisonQuestion& question, ComparisonState& state) {
  const auto& first = state.pending.front();
  auto row = snapshot.query(
      "SELECT id, timestamp, held, data_hash FROM inventory_records WHERE system_id = ?1 AND (timestamp, id) "
      "< (?2, ?3)"
      " AND given_up = 0 ORDER BY timestamp DESC, id DESC LIMIT 1",
      state.system_id, first.timestamp, first.id);
  if (!row.next()) return;
  state.baseline = inventory::Baseline{RecordId{row.int64(0)}, row.time(1), "", row.text(2), row.text(3)};
  read_document_of(snapshot, question, *state.baseline);
}

void read_newest_processed(Snapshot& snapshot, ComparisonState& state) {
  auto row = snapshot.query(
      "SELECT timestamp, id FROM inventory_records WHERE system_id = ? AND processed_at IS NOT NULL"
      " ORDER BY timestamp DESC, id DESC LIMIT 1",
      state.system_id);
  if (row.next()) state.newest_processed = {row.time(0), RecordId{row.int64(1)}};
}

// From the newest diff backwards until they are too old: diffs are never deleted, so a search must not meet
// them all.
void read_last_changed(Snapshot& snapshot, ComparisonState& state, Time since) {
  auto row = snapshot.query(
      "SELECT field_path, created_at FROM inventory_diffs WHERE system_id = ?"
      " ORDER BY created_at DESC, id DESC",
      state.system_id);
  while (row.next()) {
    const auto at = row.time(1);
    if (at < since) break;
    auto& newest = state.last_changed.try_emplace(row.text(0), at).first->second;
    newest = std::max(newest, at);
  }
}

ComparisonState read_state(Snapshot& snapshot, const SystemId& system_id,
                           const ComparisonQuestion& question) {
  ComparisonState state;
  state.system_id = system_id;
  read_pending(snapshot, question, state);
  read_newest_processed(snapshot, state);
  if (state.pending.empty()) return state;
  read_baseline(snapshot, question, state);
  if (question.changed_since) read_last_changed(snapshot, state, *question.changed_since);
  return state;
}

void insert_diff(Transaction& transaction, const SystemId& system_id, const RecordDiffs& decided,
                 const diff::Change& change, Time now) {
  transaction.run(
      "INSERT INTO inventory_diffs(system_id, previous_id, current_id, diff_type, category, severity,"
      "   field_path, previous_value, current_value, created_at)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      system_id, decided.previous_id, decided.record_id, diff::to_string(change.type), change.category,
      diff::to_string(change.severity), change.field_path, change.previous_value, change.current_value, now);
}

Compared write(Transaction& transaction, const SystemId& system_id, const RecordDiffs& decided, Time now) {
  for (const auto& change : decided.changes) insert_diff(transaction, system_id, decided, change, now);
  const auto count = decided.changes.size();
  transaction.run(
      "UPDATE inventory_records SET processed_at = ?2, has_changes = ?3, change_count = ?4,"
      "   held = nullif(?5, ''), given_up = ?6"
      " WHERE id = ?1",
      decided.record_id, now, count > 0, count, decided.held, decided.given_up);
  return {system_id, decided.record_id, static_cast<int>(count)};
}

// What was decided about a system before the lock was taken, and from which state, without its documents.
struct Ahead {
  ComparisonState state;
  std::vector<RecordDiffs> decided;
};
using AllAhead = std::map<SystemId, Ahead>;

Ahead decide_ahead(ComparisonState state, const inventory::DecideComparison& decide) {
  auto decided = decide(state);
  for (auto& record : state.pending) record.document.clear();
  if (state.baseline) state.baseline->document.clear();
  return {std::move(state), std::move(decided)};
}

// The same records stand there with the same past. Documents never change; neither does what changed lately
// without a record that was processed.
bool is_as_before(const ComparisonState& now, const ComparisonState& before) {
  constexpr auto kSamePending = [](const auto& a, const auto& b) {
    return a.id == b.id && a.timestamp == b.timestamp && a.hash == b.hash;
  };
  const auto same_baseline = [&] {
    if (!now.baseline || !before.baseline) return now.baseline.has_value() == before.baseline.has_value();
    return kSamePending(*now.baseline, *before.baseline) && now.baseline->held == before.baseline->held;
  };
  return now.newest_processed == before.newest_processed &&
         std::ranges::equal(now.pending, before.pending, kSamePending) && same_baseline();
}

std::vector<RecordDiffs> decided_under_lock(Transaction& transaction, const ComparisonState& outline,
                                            const ComparisonQuestion& question,
                                            const inventory::DecideComparison& decide, AllAhead& ahead) {
  const auto found = ahead.find(outline.system_id);
  if (found != ahead.end() && is_as_before(outline, found->second.state))
    return std::move(found->second.decided);
  return decide(read_state(transaction, outline.system_id, question));
}

}  // namespace

// To compare takes longer than all else here: it is done before the lock is taken, on what stands there then.
// What stands otherwise under the lock is compared again.
Result<std::vector<Compared>> ComparisonStore::compare(const ComparisonQuestion& question,
                                                       const inventory::DecideComparison& decide) {
  const std::set<SystemId> systems(question.systems.begin(), question.systems.end());
  AllAhead ahead;
  // One system's documents at a time in memory, and no reader held while they are compared.
  for (const auto& system_id : systems) {
    auto state =
        database_.read([&](Snapshot& snapshot) { return read_state(snapshot, system_id, question); });
    if (!state) return state.failure();
    if (!state->pending.empty()) ahead.emplace(system_id, decide_ahead(*std::move(state), decide));
  }
  ComparisonQuestion outlines = question;
  outlines.changed_since.reset();
  outlines.has_document = [](std::string_view /*hash*/) { return true; };
  return database_.write([&](Transaction& transaction) {
    std::vector<Compared> compared;
    for (const auto& system_id : systems) {
      const auto outline = read_state(transaction, system_id, outlines);
      if (outline.pending.empty()) {
        if (outline.newest_processed)
          compared.push_back({system_id, outline.newest_processed->second, 0, true});
        continue;
      }
      for (const auto& decided : decided_under_lock(transaction, outline, question, decide, ahead))
        compared.push_back(write(transaction, system_id, decided, question.now));
    }
    point("processing", "mid_transaction");
    return compared;
  });
}

Result<std::vector<inventory::UnfinishedRecord>> ComparisonStore::unfinished(Time before, std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<inventory::UnfinishedRecord> records;
    auto row = snapshot.query(
        "SELECT system_id, id FROM inventory_records WHERE processed_at IS NULL AND created_at < ?"
        " ORDER BY created_at, id LIMIT ?",
        before, limit);
    while (row.next()) records.push_back({SystemId(row.text(0)), RecordId{row.int64(1)}});
    return records;
  });
}

}  // namespace collect::sqlite
