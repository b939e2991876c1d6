// SPDX-License-Identifier: Apache-2.0
// AlertStore::notify(): everything else is in alert_store.cc.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "backend/postgres/alert_store.h"
#include "backend/postgres/facts.h"
#include "backend/postgres/system_rows.h"

namespace collect::postgres {
namespace {

using alerts::AlertId;
using alerts::NewAlert;
using alerts::News;
using alerts::Notified;
using alerts::NotifyPlan;
using alerts::NotifyQuestion;
using alerts::NotifyState;
using diff::ChangeType;
using diff::Severity;

constexpr std::string_view kUnsent =
    "SELECT id, current_id, diff_type, category, severity, field_path, previous_value, current_value, "
    "created_at FROM inventory_diffs "
    "WHERE current_id = ANY($1::bigint[]) AND system_id = $2 AND notification_sent = false ORDER BY id";

constexpr std::string_view kEarlier =
    "SELECT min(current_id) FROM inventory_diffs "
    "WHERE system_id = $1 AND notification_sent = false AND current_id < $2";

constexpr std::string_view kOpen =
    "SELECT a.id, a.rule, d.diff_type, d.field_path, d.previous_value, d.current_value "
    "FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id "
    "WHERE a.system_id = $1 AND a.is_resolved = false AND a.rule IS NOT NULL "
    "AND d.field_path = ANY($2::text[]) ORDER BY a.id";

constexpr std::string_view kOccurrences =
    "SELECT field_path, created_at FROM inventory_diffs "
    "WHERE system_id = $1 AND field_path = ANY($2::text[]) AND created_at >= $3 ORDER BY created_at";

constexpr std::string_view kLastPattern =
    "SELECT DISTINCT ON (d.field_path) d.field_path, d.created_at "
    "FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id "
    "WHERE a.system_id = $1 AND d.field_path = ANY($2::text[]) AND a.rule = $3 "
    "ORDER BY d.field_path, a.id DESC";

std::vector<alerts::StoredDiff> unsent_from(const Rows& rows) {
  std::vector<alerts::StoredDiff> diffs;
  for (int row = 0; row < rows.count(); ++row) {
    alerts::StoredDiff diff;
    diff.id = DiffId{rows.int64(row, 0)};
    diff.record_id = RecordId{rows.int64(row, 1)};
    diff.type = diff::parse_change_type(rows.view(row, 2)).value_or(ChangeType::update);
    diff.category = rows.text(row, 3);
    diff.severity = diff::parse_severity(rows.view(row, 4)).value_or(Severity::low);
    diff.field_path = rows.text(row, 5);
    diff.previous_value = rows.maybe_text(row, 6);
    diff.current_value = rows.maybe_text(row, 7);
    diff.created_at = rows.time(row, 8);
    diffs.push_back(std::move(diff));
  }
  return diffs;
}

std::vector<alerts::OpenAlert> open_from(const Rows& rows) {
  std::vector<alerts::OpenAlert> open;
  for (int row = 0; row < rows.count(); ++row) {
    open.push_back({AlertId{rows.int64(row, 0)}, rows.text(row, 1),
                    diff::parse_change_type(rows.view(row, 2)).value_or(ChangeType::update),
                    rows.text(row, 3), rows.maybe_text(row, 4), rows.maybe_text(row, 5)});
  }
  return open;
}

// What was found about the paths of `state.unsent`.
void read_past(Transaction& transaction, const NotifyQuestion& question, NotifyState& state) {
  std::vector<std::string> paths;
  for (const auto& diff : state.unsent) {
    if (state.occurrences.try_emplace(diff.field_path).second) paths.push_back(diff.field_path);
  }
  const auto params = Params::of(question.system_id).texts(paths);
  transaction.add(std::string(kOpen), params);
  transaction.add(std::string(kOccurrences), Params(params).add(question.since));
  transaction.add(std::string(kLastPattern), Params(params).add(question.pattern_rule));
  const auto answers = transaction.flush();
  state.open = open_from(answers[0]);
  for (int row = 0; row < answers[1].count(); ++row) {
    state.occurrences[answers[1].text(row, 0)].push_back(answers[1].time(row, 1));
  }
  for (int row = 0; row < answers[2].count(); ++row) {
    state.last_pattern.emplace(answers[2].text(row, 0), answers[2].time(row, 1));
  }
}

// What `state` says, unless a record has to be told before.
struct Found {
  NotifyState state;
  std::optional<RecordId> earlier;
};

// Nothing unsent: nothing else is read.
Found lock_and_read(Transaction& transaction, const Schema& schema, const NotifyQuestion& question) {
  if (question.records.empty()) return {};
  add_system_lock(transaction, schema, {question.system_id.text()});
  transaction.add(select_systems(schema) + "WHERE s.id = $1", Params::of(question.system_id));
  transaction.add(std::string(kUnsent),
                  Params().array(question.records, [](RecordId id) { return id; }).add(question.system_id));
  transaction.add(std::string(kEarlier),
                  Params::of(question.system_id).add(*std::ranges::min_element(question.records)));
  const auto answers = transaction.flush();
  Found found;
  if (answers[1].empty() || answers[2].empty()) return found;
  if (const auto earlier = answers[3].maybe_int64(0, 0); earlier && !question.out_of_order) {
    found.earlier = RecordId{*earlier};
    return found;
  }
  found.state.system = system_at(answers[1], 0);
  found.state.unsent = unsent_from(answers[2]);
  read_past(transaction, question, found.state);
  return found;
}

// One row of alert_notifications.
struct Telling {
  AlertId alert_id{};
  News news = News::firing;
  bool critical = false;
  std::string channel;
};

void tell(std::vector<Telling>& tellings, Telling telling, const std::vector<std::string>& channels) {
  for (const auto& channel : std::set<std::string>(channels.begin(), channels.end())) {
    telling.channel = channel;
    tellings.push_back(telling);
  }
}

void add_alerts(Transaction& transaction, const std::vector<NewAlert>& made, const NotifyQuestion& question) {
  Params params;
  params.array(made, [](const NewAlert& alert) { return alert.diff_id; })
      .array(made, [](const NewAlert& alert) { return std::string_view(alert.rule); })
      .array(made, [](const NewAlert& alert) { return std::string_view(alert.alert_type); })
      .array(made, [](const NewAlert& alert) { return std::string_view(alert.message); })
      .array(made, [](const NewAlert& alert) { return diff::to_string(alert.severity); })
      .add(question.system_id)
      .add(question.now);
  transaction.add(
      "INSERT INTO inventory_alerts (system_id, diff_id, rule, alert_type, message, severity, is_resolved, "
      "created_at, updated_at) "
      "SELECT $6, u.diff_id, u.rule, u.alert_type, u.message, u.severity, false, $7::timestamptz, $7 "
      "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) "
      "AS u(diff_id, rule, alert_type, message, severity) "
      "ON CONFLICT (diff_id, rule) DO NOTHING RETURNING id, diff_id, rule",
      std::move(params));
}

void add_resolutions(Transaction& transaction, const std::vector<alerts::Resolved>& resolved,
                     const NotifyQuestion& question) {
  transaction.add(
      "UPDATE inventory_alerts SET is_resolved = true, resolved_at = $3::timestamptz, updated_at = $3 "
      "WHERE id = ANY($1::bigint[]) AND system_id = $2 AND is_resolved = false RETURNING id, severity",
      Params()
          .array(resolved, [](const alerts::Resolved& one) { return one.id; })
          .add(question.system_id)
          .add(question.now));
}

void tell_new(std::vector<Telling>& tellings, const Rows& rows, const std::vector<NewAlert>& made) {
  // Of two for the same rule and diff the first became the row.
  std::map<std::pair<DiffId, std::string_view>, const NewAlert*> by_key;
  for (const auto& alert : made) by_key.try_emplace({alert.diff_id, alert.rule}, &alert);
  for (int row = 0; row < rows.count(); ++row) {
    const auto* alert = by_key.at({DiffId{rows.int64(row, 1)}, rows.view(row, 2)});
    tell(tellings, {AlertId{rows.int64(row, 0)}, News::firing, alert->severity == Severity::critical, ""},
         alert->channels);
  }
}

void tell_resolved(std::vector<Telling>& tellings, const Rows& rows,
                   const std::vector<alerts::Resolved>& resolved) {
  std::map<AlertId, const std::vector<std::string>*> channels;
  for (const auto& one : resolved) channels.try_emplace(one.id, &one.channels);
  for (int row = 0; row < rows.count(); ++row) {
    const AlertId id{rows.int64(row, 0)};
    tell(tellings, {id, News::resolved, diff::parse_severity(rows.view(row, 1)) == Severity::critical, ""},
         *channels.at(id));
  }
}

void add_tellings(Transaction& transaction, const std::vector<Telling>& tellings, const NotifyState& state,
                  Time now) {
  if (tellings.empty()) return;
  Params params;
  params.array(tellings, [](const Telling& one) { return std::string_view(one.channel); })
      .array(tellings, [](const Telling& one) { return one.alert_id; })
      .array(tellings, [](const Telling& one) { return alerts::to_string(one.news); })
      .array(tellings, [](const Telling& one) { return one.critical; })
      .add(state.system.id)
      .add(state.system.organization.logto_id)
      .add(now);
  transaction.add(
      "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
      "created_at) SELECT u.channel, u.alert_id, u.news, u.critical, $5, $6, $7 "
      "FROM unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[]) "
      "AS u(channel, alert_id, news, critical)",
      std::move(params));
}

Notified write(Transaction& transaction, const NotifyQuestion& question, const NotifyState& state,
               const NotifyPlan& plan) {
  Notified notified;
  std::vector<Telling> tellings;
  if (!plan.alerts.empty()) add_alerts(transaction, plan.alerts, question);
  if (!plan.resolved.empty()) add_resolutions(transaction, plan.resolved, question);
  if (!plan.alerts.empty() || !plan.resolved.empty()) {
    const auto answers = transaction.flush();
    if (!plan.alerts.empty()) {
      notified.alerts = static_cast<std::size_t>(answers.front().count());
      tell_new(tellings, answers.front(), plan.alerts);
    }
    if (!plan.resolved.empty()) {
      notified.resolved = static_cast<std::size_t>(answers.back().count());
      tell_resolved(tellings, answers.back(), plan.resolved);
    }
  }
  add_tellings(transaction, tellings, state, question.now);
  transaction.add("UPDATE inventory_diffs SET notification_sent = true WHERE id = ANY($1::bigint[])",
                  Params().array(state.unsent, [](const alerts::StoredDiff& diff) { return diff.id; }));
  transaction.flush();  // the next question's answers come after these
  notified.diffs = state.unsent.size();
  return notified;
}

Notified answer(Transaction& transaction, const Schema& schema, const NotifyQuestion& question,
                const alerts::DecideNotify& decide) {
  for (const auto* column : {"systems.id", "inventory_diffs.system_id", "inventory_alerts.system_id"}) {
    if (!schema.can_hold(column, question.system_id.text())) return {};
  }
  const auto [state, earlier] = lock_and_read(transaction, schema, question);
  if (earlier) return {.earlier = earlier};
  if (state.unsent.empty()) return {};
  return write(transaction, question, state, decide(state));
}

}  // namespace

Result<std::vector<Notified>> AlertStore::notify_all(std::span<const NotifyQuestion> questions,
                                                     const alerts::DecideNotify& decide) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    std::vector<Notified> notified;
    for (const auto& question : questions) notified.push_back(answer(transaction, schema, question, decide));
    return notified;
  });
}

}  // namespace collect::postgres
