// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/alert_store.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "backend/sqlite/alert_rows.h"
#include "backend/sqlite/organizations.h"

namespace collect::sqlite {
namespace {

using alerts::AlertFilter;
using alerts::ListedAlert;
using alerts::ShownAlert;
using alerts::UnsentRecord;

// `more`: columns of the change.
std::string select_alerts(const std::string& more = "") {
  return "SELECT " + kAlertColumns + ", s.system_key, s.name" + more + " FROM inventory_alerts a" +
         kDiffOfAlert + " LEFT JOIN systems s ON s.id = a.system_id";
}

ListedAlert listed_of(const Cursor& row) {
  return {alert_of(row), row.text(kAlertColumnCount), row.text(kAlertColumnCount + 1)};
}

ShownAlert shown_of(const Cursor& row) {
  return {listed_of(row), diff::parse_change_type(row.view(kAlertColumnCount + 2)),
          row.maybe_text(kAlertColumnCount + 3), row.maybe_text(kAlertColumnCount + 4)};
}

// As many as there are severities, because the statement names each.
std::array<std::optional<std::string>, 4> severities_of(const AlertFilter& filter) {
  std::array<std::optional<std::string>, 4> words;
  if (filter.least_severity)
    std::ranges::copy(alerts::severities_from(*filter.least_severity), words.begin());
  return words;
}

// ?1 to ?11. `id <` stands alone so that a page far down starts there.
const std::string kOfSystem = " WHERE a.system_id = ?1 AND";
const std::string kOfAll = " WHERE ?1 IS NULL AND";
const std::string kChosen =
    " a.id < coalesce(?2, 9223372036854775807) AND (?3 IS NULL OR a.alert_type = ?3)"
    " AND (?4 IS NULL OR a.is_resolved = ?4) AND (?5 IS NULL OR a.created_at >= ?5)"
    " AND (?6 IS NULL OR s.organization_id IN (?6, ?7))"
    " AND (?8 IS NULL OR a.severity IN (?8, ?9, ?10, ?11))";

struct Words {
  std::array<std::optional<OrganizationId>, 2> organization;
  std::array<std::optional<std::string>, 4> severity;
};

Words words_of(Snapshot& snapshot, const AlertFilter& filter) {
  Words words{{}, severities_of(filter)};
  if (filter.organization_id)
    std::ranges::copy(names_of_organization(snapshot, *filter.organization_id), words.organization.begin());
  return words;
}

}  // namespace

Result<std::vector<UnsentRecord>> AlertStore::unfinished(Time before, std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<UnsentRecord> records;
    auto row = snapshot.query(
        "SELECT system_id, current_id FROM inventory_diffs"
        " WHERE notification_sent = 0 AND current_id IS NOT NULL AND created_at < ?"
        " GROUP BY current_id ORDER BY current_id LIMIT ?",
        before, limit);
    while (row.next()) records.push_back({SystemId(row.text(0)), RecordId{row.int64(1)}});
    return records;
  });
}

Result<std::vector<ListedAlert>> AlertStore::list(const AlertFilter& filter) {
  static const std::string rest = kChosen + " ORDER BY a.id DESC LIMIT ?12 OFFSET ?13";
  static const std::string of_system = select_alerts() + kOfSystem + rest;
  static const std::string of_all = select_alerts() + kOfAll + rest;
  return database_.read([&](Snapshot& snapshot) {
    const Words words = words_of(snapshot, filter);
    const auto limit = filter.limit ? static_cast<std::int64_t>(*filter.limit) : -1;
    auto row = snapshot.query(filter.system_id ? of_system : of_all, filter.system_id, filter.before,
                              filter.alert_type, filter.resolved, filter.since, words.organization[0],
                              words.organization[1], words.severity[0], words.severity[1], words.severity[2],
                              words.severity[3], limit, filter.skip);
    std::vector<ListedAlert> found;
    while (row.next()) found.push_back(listed_of(row));
    return found;
  });
}

Result<Count> AlertStore::count(const AlertFilter& filter) {
  static const std::string from =
      "SELECT count(*) FROM (SELECT 1 FROM inventory_alerts a LEFT JOIN systems s ON s.id = a.system_id";
  static const std::string of_system = from + kOfSystem + kChosen + " LIMIT ?12)";
  static const std::string of_all = from + kOfAll + kChosen + " LIMIT ?12)";
  return database_.read([&](Snapshot& snapshot) {
    const Words words = words_of(snapshot, filter);
    auto row = snapshot.query(filter.system_id ? of_system : of_all, filter.system_id, std::nullopt,
                              filter.alert_type, filter.resolved, filter.since, words.organization[0],
                              words.organization[1], words.severity[0], words.severity[1], words.severity[2],
                              words.severity[3], kCounted + 1);
    row.next();
    return counted(row.int64(0), row.int64(0));
  });
}

Result<std::optional<ShownAlert>> AlertStore::find(alerts::AlertId id) {
  static const std::string by_id =
      select_alerts(", d.diff_type, d.previous_value, d.current_value") + " WHERE a.id = ?";
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query(by_id, id);
    return row.next() ? std::optional(shown_of(row)) : std::nullopt;
  });
}

Result<bool> AlertStore::raise(const alerts::StandingAlert& alert, Time now) {
  return database_.write([&](Transaction& transaction) {
    if (transaction.run(
            "INSERT INTO inventory_alerts(system_id, rule, alert_type, message, severity, created_at,"
            "   updated_at)"
            " SELECT id, ?2, ?2, ?3, ?4, ?5, ?5 FROM systems WHERE id = ?1 AND NOT EXISTS"
            "   (SELECT 1 FROM inventory_alerts WHERE system_id = ?1 AND rule = ?2 AND is_resolved = 0)",
            alert.system_id, alert.rule, alert.message, diff::to_string(alert.severity), now) == 0)
      return false;
    const alerts::AlertId id{transaction.last_insert_id()};
    for (const auto& channel : std::set<std::string>(alert.channels.begin(), alert.channels.end()))
      transaction.run(
          "INSERT INTO alert_notifications(channel, alert_id, news, critical, system_id, organization_id,"
          "   created_at)"
          " VALUES (?, ?, 'firing', ?, ?, ?, ?)",
          channel, id, alert.severity == diff::Severity::critical, alert.system_id, alert.organization_id,
          now);
    return true;
  });
}

Result<bool> AlertStore::resolve(alerts::AlertId id, Time now) {
  return database_.write([&](Transaction& transaction) -> Result<bool> {
    const auto resolved = transaction.run(
        "UPDATE inventory_alerts SET is_resolved = 1, resolved_at = ?2, updated_at = ?2"
        " WHERE id = ?1 AND is_resolved = 0",
        id, now);
    if (resolved == 0) {
      if (transaction.query("SELECT 1 FROM inventory_alerts WHERE id = ?", id).next()) return false;
      return not_found(fmt::format("there is no alert {}", static_cast<std::int64_t>(id)));
    }
    transaction.run(
        "INSERT INTO alert_notifications(channel, alert_id, news, critical, system_id, organization_id,"
        "   created_at)"
        " SELECT DISTINCT channel, alert_id, 'resolved', critical, system_id, organization_id, ?2"
        " FROM alert_notifications WHERE alert_id = ?1 AND news = 'firing'",
        id, now);
    return true;
  });
}

}  // namespace collect::sqlite
