// SPDX-License-Identifier: Apache-2.0
// AlertStore::notify(): everything else is in alert_store.cc.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "backend/sqlite/alert_store.h"
#include "backend/sqlite/system_rows.h"
#include "base/point.h"

namespace collect::sqlite {
namespace {

using alerts::AlertId;
using alerts::News;
using alerts::Notified;
using alerts::NotifyPlan;
using alerts::NotifyQuestion;
using alerts::NotifyState;
using diff::ChangeType;
using diff::Severity;

void read_unsent(Snapshot& snapshot, const NotifyQuestion& question, NotifyState& state) {
  for (const auto record_id : std::set<RecordId>(question.records.begin(), question.records.end())) {
    auto row = snapshot.query(
        "SELECT id, diff_type, category, severity, field_path, previous_value, current_value, created_at"
        " FROM inventory_diffs WHERE current_id = ? AND system_id = ? AND notification_sent = 0",
        record_id, question.system_id);
    while (row.next()) {
      state.unsent.push_back({DiffId{row.int64(0)}, record_id,
                              diff::parse_change_type(row.view(1)).value_or(ChangeType::update), row.text(2),
                              diff::parse_severity(row.view(3)).value_or(Severity::low), row.text(4),
                              row.maybe_text(5), row.maybe_text(6), row.time(7)});
    }
  }
  std::ranges::sort(state.unsent, {}, &alerts::StoredDiff::id);
}

// The first record that has to be told before all of these.
std::optional<RecordId> earlier_record(Snapshot& snapshot, const NotifyQuestion& question) {
  if (question.out_of_order || question.records.empty()) return std::nullopt;
  auto row = snapshot.query(
      "SELECT current_id FROM inventory_diffs WHERE system_id = ? AND notification_sent = 0 AND current_id < "
      "?"
      " ORDER BY current_id LIMIT 1",
      question.system_id, *std::ranges::min_element(question.records));
  return row.next() ? std::optional(RecordId{row.int64(0)}) : std::nullopt;
}

// Of all that is open the index tells the paths; only what lies in a changed place is read.
void read_open(Snapshot& snapshot, NotifyState& state) {
  std::vector<AlertId> found;
  {
    auto row = snapshot.query(
        "SELECT id, field_path FROM inventory_alerts"
        " WHERE system_id = ? AND is_resolved = 0 AND rule IS NOT NULL AND field_path IS NOT NULL",
        state.system.id);
    while (row.next()) {
      const auto path = row.view(1);
      const auto lies_in_it = [&](const auto& diff) { return alerts::lies_in(path, diff.field_path); };
      if (std::ranges::any_of(state.unsent, lies_in_it)) found.push_back(AlertId{row.int64(0)});
    }
  }
  std::ranges::sort(found);
  for (const AlertId id : found) {
    auto row = snapshot.query(
        "SELECT a.rule, d.diff_type, a.field_path, d.previous_value"
        " FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id WHERE a.id = ?",
        id);
    if (!row.next()) continue;
    state.open.push_back({id, row.text(0), diff::parse_change_type(row.view(1)).value_or(ChangeType::update),
                          row.text(2), row.maybe_text(3)});
  }
}

// From the newest diff backwards until they are too old: diffs are never deleted, so a search must not meet
// them all.
void read_occurrences(Snapshot& snapshot, const NotifyQuestion& question, NotifyState& state) {
  for (auto& path : alerts::paths_to_count(state, question.window)) state.occurrences[std::move(path)];
  if (state.occurrences.empty()) return;
  auto row = snapshot.query(
      "SELECT field_path, created_at FROM inventory_diffs WHERE system_id = ?"
      " ORDER BY created_at DESC, id DESC",
      state.system.id);
  while (row.next()) {
    const auto at = row.time(1);
    if (at < question.since) break;
    const auto place = state.occurrences.find(row.view(0));
    if (place != state.occurrences.end()) place->second.push_back(at);
  }
  for (auto& [path, times] : state.occurrences) std::ranges::sort(times);
}

void read_last_pattern(Snapshot& snapshot, NotifyState& state) {
  // The rule's name as text: only so does SQLite see that the index of these alerts is enough.
  static const std::string kNewest = fmt::format(
      "SELECT d.created_at FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id"
      " WHERE a.system_id = ? AND a.field_path = ? AND a.rule = '{}' ORDER BY a.id DESC LIMIT 1",
      alerts::kPatternRule);
  for (const auto& path : alerts::changed_paths(state)) {
    auto row = snapshot.query(kNewest, state.system.id, path);
    if (row.next()) state.last_pattern.emplace(path, row.time(0));
  }
}

// Nothing unsent: nothing else is read.
NotifyState read_state(Snapshot& snapshot, const NotifyQuestion& question) {
  NotifyState state;
  auto system = find_system(snapshot, question.system_id);
  if (!system) return state;
  state.system = std::move(*system);
  read_unsent(snapshot, question, state);
  if (state.unsent.empty()) return state;
  read_open(snapshot, state);
  read_last_pattern(snapshot, state);
  read_occurrences(snapshot, question, state);
  return state;
}

struct Told {
  AlertId id{};
  News news = News::firing;
  Severity severity = Severity::low;
};

void tell(Transaction& transaction, const NotifyState& state, const Told& told,
          const std::vector<std::string>& channels, Time now) {
  for (const auto& channel : std::set<std::string>(channels.begin(), channels.end()))
    transaction.run(
        "INSERT INTO alert_notifications(channel, alert_id, news, critical, system_id, organization_id,"
        "   created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        channel, told.id, alerts::to_string(told.news), told.severity == Severity::critical, state.system.id,
        state.system.organization.logto_id, now);
}

// False: an alert of this rule and diff stands already.
bool insert_alert(Transaction& transaction, const NotifyState& state, const alerts::NewAlert& alert,
                  Time now) {
  if (transaction.run(
          "INSERT INTO inventory_alerts(system_id, diff_id, field_path, rule, alert_type, message, severity,"
          "   created_at, updated_at)"
          " VALUES (?1, ?2, (SELECT field_path FROM inventory_diffs WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?7)"
          " ON CONFLICT (diff_id, rule) DO NOTHING",
          state.system.id, alert.diff_id, alert.rule, alert.alert_type, alert.message,
          diff::to_string(alert.severity), now) == 0)
    return false;
  const AlertId id{transaction.last_insert_id()};
  tell(transaction, state, {id, News::firing, alert.severity}, alert.channels, now);
  return true;
}

// False: it is resolved already.
bool resolve_alert(Transaction& transaction, const NotifyState& state, const alerts::Resolved& resolved,
                   Time now) {
  auto row = transaction.query(
      "UPDATE inventory_alerts SET is_resolved = 1, resolved_at = ?3, updated_at = ?3"
      " WHERE id = ?1 AND system_id = ?2 AND is_resolved = 0 RETURNING severity",
      resolved.id, state.system.id, now);
  if (!row.next()) return false;
  const auto severity = diff::parse_severity(row.view(0)).value_or(Severity::low);
  tell(transaction, state, {resolved.id, News::resolved, severity}, resolved.channels, now);
  return true;
}

Notified write(Transaction& transaction, const NotifyState& state, const NotifyPlan& plan, Time now) {
  Notified notified;
  for (const auto& alert : plan.alerts) {
    if (insert_alert(transaction, state, alert, now)) ++notified.alerts;
  }
  for (const auto& resolved : plan.resolved) {
    if (resolve_alert(transaction, state, resolved, now)) ++notified.resolved;
  }
  for (const auto& diff : state.unsent)
    transaction.run("UPDATE inventory_diffs SET notification_sent = 1 WHERE id = ?", diff.id);
  notified.diffs = state.unsent.size();
  return notified;
}

Notified answer(Transaction& transaction, const NotifyQuestion& question,
                const alerts::DecideNotify& decide) {
  const auto state = read_state(transaction, question);
  if (state.unsent.empty()) return {};
  if (const auto earlier = earlier_record(transaction, question)) return {.earlier = earlier};
  return write(transaction, state, decide(state), question.now);
}

}  // namespace

Result<std::vector<Notified>> AlertStore::notify_all(std::span<const NotifyQuestion> questions,
                                                     const alerts::DecideNotify& decide) {
  return database_.write([&](Transaction& transaction) {
    std::vector<Notified> notified;
    for (const auto& question : questions) notified.push_back(answer(transaction, question, decide));
    point("notification", "mid_transaction");
    return notified;
  });
}

}  // namespace collect::sqlite
