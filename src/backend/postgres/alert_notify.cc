// SPDX-License-Identifier: Apache-2.0
// AlertStore::notify(): everything else is in alert_store.cc.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "backend/postgres/alert_store.h"
#include "backend/postgres/facts.h"
#include "backend/postgres/system_rows.h"
#include "base/point.h"

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
    "created_at, system_id FROM inventory_diffs "
    "WHERE current_id = ANY($1::bigint[]) AND notification_sent = false ORDER BY id";

constexpr std::string_view kEarlier =
    "SELECT q.system_id, (SELECT min(current_id) FROM inventory_diffs d "
    "WHERE d.system_id = q.system_id AND notification_sent = false AND current_id < q.least) "
    "FROM unnest($1::{}[], $2::bigint[]) AS q(system_id, least)";

// About places of systems: what $1 and $2 list pair by pair, put together for each system, whose index is
// then walked once. OFFSET 0 keeps the planner from joining whole tables for it.
constexpr std::string_view kPlaces =
    "(SELECT u.system_id, array_agg(u.place) AS places "
    "FROM unnest($1::{}[], $2::text[]) AS u(system_id, place) GROUP BY u.system_id)";

constexpr std::string_view kOpen =
    "SELECT q.system_id, o.* FROM {} AS q CROSS JOIN LATERAL "
    "(SELECT a.id, a.rule, d.diff_type, a.field_path, d.previous_value "
    "FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id "
    "WHERE a.system_id = q.system_id AND a.is_resolved = false AND a.rule IS NOT NULL "
    "AND EXISTS (SELECT FROM unnest(q.places) AS place "
    "WHERE a.field_path = place OR starts_with(a.field_path, place || '.')) OFFSET 0) AS o ORDER BY o.id";

// Since $3, which is each pair's.
constexpr std::string_view kOccurrences =
    "SELECT q.system_id, o.* FROM (SELECT u.system_id, u.since, array_agg(u.place) AS places "
    "FROM unnest($1::{}[], $2::text[], $3::timestamptz[]) AS u(system_id, place, since) "
    "GROUP BY u.system_id, u.since) AS q CROSS JOIN LATERAL "
    "(SELECT d.field_path, d.created_at FROM inventory_diffs d WHERE d.system_id = q.system_id "
    "AND d.created_at >= q.since AND d.field_path = ANY(q.places) OFFSET 0) AS o ORDER BY o.created_at";

// The rule's name as text: only so does every plan see that the index of these alerts is enough.
constexpr std::string_view kLastPattern =
    "SELECT DISTINCT ON (q.system_id, o.field_path) q.system_id, o.field_path, o.created_at "
    "FROM {} AS q CROSS JOIN LATERAL (SELECT a.id, a.field_path, d.created_at "
    "FROM inventory_alerts a JOIN inventory_diffs d ON d.id = a.diff_id "
    "WHERE a.system_id = q.system_id AND a.field_path = ANY(q.places) AND a.rule = '{}' OFFSET 0) AS o "
    "ORDER BY q.system_id, o.field_path, o.id DESC";

// One row of alert_notifications.
struct Telling {
  AlertId alert_id{};
  News news = News::firing;
  bool critical = false;
  std::string channel;
};

// A question on its way to its answer.
struct Asked {
  const NotifyQuestion* question;
  Notified* answer;
  NotifyState state = {};
  NotifyPlan plan = {};
  std::vector<Telling> tellings = {};
};
// Of one system each: they see nothing of each other, and are read and written together.
using Round = std::vector<Asked>;

alerts::StoredDiff diff_at(const Rows& rows, int row) {
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
  return diff;
}

std::vector<std::string> systems_of(const Round& round) {
  std::vector<std::string> ids;
  for (const auto& asked : round) ids.push_back(asked.question->system_id.text());
  return ids;
}

// Calls use(asked, row) for each row about a system of the round.
template <class Use>
void for_each_row(Round& round, const Rows& rows, int system_column, Use use) {
  std::map<std::string_view, Asked*> by_system;
  for (auto& asked : round) by_system.emplace(asked.question->system_id.text(), &asked);
  for (int row = 0; row < rows.count(); ++row) {
    const auto place = by_system.find(rows.view(row, system_column));
    if (place != by_system.end()) use(*place->second, row);
  }
}

void add_unsent_queries(Transaction& transaction, const Schema& schema, const Round& round) {
  const auto systems = systems_of(round);
  transaction.add(
      select_systems(schema) + fmt::format("WHERE s.id = ANY($1::{}[])", schema.type("systems.id")),
      Params().texts(systems));
  std::vector<RecordId> records;
  for (const auto& asked : round) {
    records.insert(records.end(), asked.question->records.begin(), asked.question->records.end());
  }
  transaction.add(std::string(kUnsent), Params().array(records, [](RecordId id) { return id; }));
  transaction.add(fmt::format(kEarlier, schema.type("inventory_diffs.system_id")),
                  Params().texts(systems).array(round, [](const Asked& asked) {
                    return *std::ranges::min_element(asked.question->records);
                  }));
}

// Leaves those that have something to tell, with `state.system` and `state.unsent`.
void read_unsent(Transaction& transaction, const Schema& schema, Round& round) {
  add_unsent_queries(transaction, schema, round);
  const auto answers = transaction.flush();
  std::set<const Asked*> there;
  for_each_row(round, answers[0], 0, [&](Asked& asked, int row) {
    asked.state.system = system_at(answers[0], row);
    there.insert(&asked);
  });
  for_each_row(round, answers[1], 9, [&](Asked& asked, int row) {
    auto diff = diff_at(answers[1], row);
    const auto& records = asked.question->records;
    if (!there.contains(&asked) || std::ranges::find(records, diff.record_id) == records.end()) return;
    asked.state.unsent.push_back(std::move(diff));
  });
  for_each_row(round, answers[2], 0, [&](Asked& asked, int row) {
    const auto earlier = answers[2].maybe_int64(row, 1);
    if (!earlier || asked.question->out_of_order || asked.state.unsent.empty()) return;
    asked.answer->earlier = RecordId{*earlier};
    asked.state.unsent.clear();
  });
  std::erase_if(round, [](const Asked& asked) { return asked.state.unsent.empty(); });
}

// A path of a system about which something is asked.
struct Place {
  const Asked* asked;
  std::string path;
};

Params params_of(const std::vector<Place>& places) {
  return Params()
      .array(places, [](const Place& place) { return place.asked->question->system_id; })
      .array(places, [](const Place& place) { return std::string_view(place.path); });
}

// What was found about the paths of `unsent`, and how often those changed about which that asks.
void read_past(Transaction& transaction, const Schema& schema, Round& round) {
  std::vector<Place> changed;
  for (const auto& asked : round) {
    for (auto& path : alerts::changed_paths(asked.state)) changed.push_back({&asked, std::move(path)});
  }
  const auto places = fmt::format(kPlaces, schema.type("inventory_alerts.system_id"));
  transaction.add(fmt::format(kOpen, places), params_of(changed));
  transaction.add(fmt::format(kLastPattern, places, alerts::kPatternRule), params_of(changed));
  const auto found = transaction.flush();
  for_each_row(round, found[0], 0, [&](Asked& asked, int row) {
    asked.state.open.push_back({AlertId{found[0].int64(row, 1)}, found[0].text(row, 2),
                                diff::parse_change_type(found[0].view(row, 3)).value_or(ChangeType::update),
                                found[0].text(row, 4), found[0].maybe_text(row, 5)});
  });
  for_each_row(round, found[1], 0, [&](Asked& asked, int row) {
    asked.state.last_pattern.emplace(found[1].text(row, 1), found[1].time(row, 2));
  });

  std::vector<Place> counted;
  for (auto& asked : round) {
    for (auto& path : alerts::paths_to_count(asked.state, asked.question->window)) {
      asked.state.occurrences[path];
      counted.push_back({&asked, std::move(path)});
    }
  }
  if (counted.empty()) return;
  const auto occurrences = transaction.run(
      fmt::format(kOccurrences, schema.type("inventory_diffs.system_id")),
      params_of(counted).array(counted, [](const Place& place) { return place.asked->question->since; }));
  for_each_row(round, occurrences, 0, [&](Asked& asked, int row) {
    asked.state.occurrences[occurrences.text(row, 1)].push_back(occurrences.time(row, 2));
  });
}

void tell(std::vector<Telling>& tellings, Telling telling, const std::vector<std::string>& channels) {
  for (const auto& channel : std::set<std::string>(channels.begin(), channels.end())) {
    telling.channel = channel;
    tellings.push_back(telling);
  }
}

// Something of a question's plan, or of what came of it.
template <class Item>
struct Of {
  Asked* asked;
  const Item* item;
};
// All that `items_of` a question names, of the whole round.
template <class Item, class ItemsOf>
std::vector<Of<Item>> in_round(Round& round, ItemsOf items_of) {
  std::vector<Of<Item>> all;
  for (auto& asked : round) {
    for (const auto& item : items_of(asked)) all.push_back({&asked, &item});
  }
  return all;
}
constexpr auto kSystem = [](const auto& one) { return one.asked->question->system_id; };
constexpr auto kNow = [](const auto& one) { return one.asked->question->now; };

void write_alerts(Transaction& transaction, const Schema& schema, Round& round) {
  const auto made = in_round<NewAlert>(
      round, [](auto& asked) -> auto& { return asked.plan.alerts; });
  if (made.empty()) return;
  using Made = Of<NewAlert>;
  Params params;
  params.array(made, [](const Made& one) { return one.item->diff_id; })
      .array(made, [](const Made& one) { return std::string_view(one.item->rule); })
      .array(made, [](const Made& one) { return std::string_view(one.item->alert_type); })
      .array(made, [](const Made& one) { return std::string_view(one.item->message); })
      .array(made, [](const Made& one) { return diff::to_string(one.item->severity); })
      .array(made, kSystem)
      .array(made, kNow);
  const auto rows = transaction.run(
      fmt::format("INSERT INTO inventory_alerts (system_id, diff_id, field_path, rule, alert_type, message, "
                  "severity, "
                  "is_resolved, created_at, updated_at) "
                  "SELECT u.system_id, u.diff_id, (SELECT d.field_path FROM inventory_diffs d WHERE d.id = "
                  "u.diff_id), "
                  "u.rule, u.alert_type, u.message, u.severity, false, u.at, u.at "
                  "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::{}[], "
                  "$7::timestamptz[]) AS u(diff_id, rule, alert_type, message, severity, system_id, at) "
                  "ON CONFLICT (diff_id, rule) DO NOTHING RETURNING id, diff_id, rule",
                  schema.type("inventory_alerts.system_id")),
      std::move(params));
  // Of two for the same rule and diff the first became the row.
  std::map<std::pair<DiffId, std::string_view>, Made> by_key;
  for (const auto& one : made) by_key.try_emplace({one.item->diff_id, one.item->rule}, one);
  for (int row = 0; row < rows.count(); ++row) {
    const auto& [asked, alert] = by_key.at({DiffId{rows.int64(row, 1)}, rows.view(row, 2)});
    ++asked->answer->alerts;
    tell(asked->tellings,
         {AlertId{rows.int64(row, 0)}, News::firing, alert->severity == Severity::critical, ""},
         alert->channels);
  }
}

void write_resolutions(Transaction& transaction, const Schema& schema, Round& round) {
  const auto resolved = in_round<alerts::Resolved>(
      round, [](auto& asked) -> auto& { return asked.plan.resolved; });
  if (resolved.empty()) return;
  std::map<AlertId, Of<alerts::Resolved>> by_id;
  for (const auto& one : resolved) by_id.try_emplace(one.item->id, one);
  const auto rows = transaction.run(
      fmt::format(
          "UPDATE inventory_alerts AS a SET is_resolved = true, resolved_at = u.at, updated_at = u.at "
          "FROM unnest($1::bigint[], $2::{}[], $3::timestamptz[]) AS u(id, system_id, at) "
          "WHERE a.id = u.id AND a.system_id = u.system_id AND a.is_resolved = false "
          "RETURNING a.id, a.severity",
          schema.type("inventory_alerts.system_id")),
      Params()
          .array(by_id, [](const auto& entry) { return entry.first; })
          .array(by_id, [](const auto& entry) { return kSystem(entry.second); })
          .array(by_id, [](const auto& entry) { return kNow(entry.second); }));
  for (int row = 0; row < rows.count(); ++row) {
    const AlertId id{rows.int64(row, 0)};
    const auto& [asked, item] = by_id.at(id);
    ++asked->answer->resolved;
    tell(asked->tellings,
         {id, News::resolved, diff::parse_severity(rows.view(row, 1)) == Severity::critical, ""},
         item->channels);
  }
}

void write_tellings(Transaction& transaction, Round& round) {
  const auto told = in_round<Telling>(
      round, [](auto& asked) -> auto& { return asked.tellings; });
  if (told.empty()) return;
  using Told = Of<Telling>;
  Params params;
  params.array(told, [](const Told& one) { return std::string_view(one.item->channel); })
      .array(told, [](const Told& one) { return one.item->alert_id; })
      .array(told, [](const Told& one) { return alerts::to_string(one.item->news); })
      .array(told, [](const Told& one) { return one.item->critical; })
      .array(told, kSystem)
      .array(told, [](const Told& one) { return one.asked->state.system.organization.logto_id; })
      .array(told, kNow);
  transaction.add(
      "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
      "created_at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::boolean[], $5::text[], "
      "$6::text[], $7::timestamptz[])",
      std::move(params));
}

void mark_sent(Transaction& transaction, Round& round) {
  const auto sent = in_round<alerts::StoredDiff>(
      round, [](auto& asked) -> auto& { return asked.state.unsent; });
  transaction.add("UPDATE inventory_diffs SET notification_sent = true WHERE id = ANY($1::bigint[])",
                  Params().array(sent, [](const auto& one) { return one.item->id; }));
  for (auto& asked : round) asked.answer->diffs = asked.state.unsent.size();
}

void answer(Transaction& transaction, const Schema& schema, Round round, const alerts::DecideNotify& decide) {
  read_unsent(transaction, schema, round);
  if (round.empty()) return;
  read_past(transaction, schema, round);
  for (auto& asked : round) asked.plan = decide(asked.state);
  write_alerts(transaction, schema, round);
  write_resolutions(transaction, schema, round);
  write_tellings(transaction, round);
  mark_sent(transaction, round);
  transaction.flush();  // the next round's answers come after these
}

// About systems that the columns can hold at all: no other one has diffs.
bool can_have_diffs(const Schema& schema, const NotifyQuestion& question) {
  return !question.records.empty() &&
         std::ranges::all_of(
             std::array{"systems.id", "inventory_diffs.system_id", "inventory_alerts.system_id"},
             [&](const char* column) { return schema.can_hold(column, question.system_id.text()); });
}

}  // namespace

Result<std::vector<Notified>> AlertStore::notify_all(std::span<const NotifyQuestion> questions,
                                                     const alerts::DecideNotify& decide) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    std::vector<Notified> notified(questions.size());
    std::vector<Asked> left;
    std::set<std::string> systems;
    for (std::size_t i = 0; i < questions.size(); ++i) {
      if (!can_have_diffs(schema, questions[i])) continue;
      left.push_back({&questions[i], &notified[i]});
      systems.insert(questions[i].system_id.text());
    }
    if (left.empty()) return notified;
    add_system_lock(transaction, schema, {systems.begin(), systems.end()});
    transaction.flush();
    while (!left.empty()) {
      std::set<SystemId> seen;
      Round round;
      std::vector<Asked> later;
      for (auto& asked : left)
        (seen.insert(asked.question->system_id).second ? round : later).push_back(asked);
      answer(transaction, schema, std::move(round), decide);
      left = std::move(later);
    }
    point("notification", "mid_transaction");
    return notified;
  });
}

}  // namespace collect::postgres
