// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/alert_store.h"

#include <fmt/format.h>

#include <array>

#include "backend/sqlite/alert_rows.h"
#include "backend/sqlite/organizations.h"

namespace collect::sqlite {
namespace {

using alerts::AlertFilter;
using alerts::ListedAlert;
using alerts::UnsentRecord;

const std::string& select_alerts() {
  static const std::string sql = "SELECT " + kAlertColumns +
                                 ", s.system_key, s.name FROM inventory_alerts a" + kDiffOfAlert +
                                 " LEFT JOIN systems s ON s.id = a.system_id";
  return sql;
}

ListedAlert listed_of(const Cursor& row) {
  return {alert_of(row), row.text(kAlertColumnCount), row.text(kAlertColumnCount + 1)};
}

// As many as there are severities, because the statement names each.
std::array<std::optional<std::string>, 4> severities_of(const AlertFilter& filter) {
  std::array<std::optional<std::string>, 4> words;
  if (filter.least_severity)
    std::ranges::copy(alerts::severities_from(*filter.least_severity), words.begin());
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
  // `id <` stands alone so that a page far down starts there.
  static const std::string rest =
      " a.id < coalesce(?2, 9223372036854775807) AND (?3 IS NULL OR a.alert_type = ?3)"
      " AND (?4 IS NULL OR a.is_resolved = ?4) AND (?5 IS NULL OR a.created_at >= ?5)"
      " AND (?6 IS NULL OR s.organization_id IN (?6, ?7))"
      " AND (?8 IS NULL OR a.severity IN (?8, ?9, ?10, ?11)) ORDER BY a.id DESC LIMIT ?12";
  static const std::string of_system = select_alerts() + " WHERE a.system_id = ?1 AND" + rest;
  static const std::string of_all = select_alerts() + " WHERE ?1 IS NULL AND" + rest;
  return database_.read([&](Snapshot& snapshot) {
    std::array<std::optional<OrganizationId>, 2> names;
    if (filter.organization_id)
      std::ranges::copy(names_of_organization(snapshot, *filter.organization_id), names.begin());
    const auto words = severities_of(filter);
    const auto limit = filter.limit ? static_cast<std::int64_t>(*filter.limit) : -1;
    auto row = snapshot.query(filter.system_id ? of_system : of_all, filter.system_id, filter.before,
                              filter.alert_type, filter.resolved, filter.since, names[0], names[1], words[0],
                              words[1], words[2], words[3], limit);
    std::vector<ListedAlert> found;
    while (row.next()) found.push_back(listed_of(row));
    return found;
  });
}

Result<std::optional<ListedAlert>> AlertStore::find(alerts::AlertId id) {
  static const std::string by_id = select_alerts() + " WHERE a.id = ?";
  return database_.read([&](Snapshot& snapshot) {
    auto row = snapshot.query(by_id, id);
    return row.next() ? std::optional(listed_of(row)) : std::nullopt;
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
