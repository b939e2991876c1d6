// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/alert_store.h"

#include <fmt/format.h>

#include "backend/postgres/alert_rows.h"
#include "backend/postgres/organizations.h"

namespace collect::postgres {
namespace {

using alerts::AlertFilter;
using alerts::ListedAlert;
using alerts::UnsentRecord;

std::string select_alerts(const Schema& schema) {
  return fmt::format("SELECT {}, s.system_key, s.name FROM inventory_alerts a {} LEFT JOIN systems s ON {} ",
                     kAlertColumns, kDiffOfAlert,
                     schema.equal("s.id", "systems.id", "a.system_id", "inventory_alerts.system_id"));
}

ListedAlert listed_at(const Rows& rows, int row) {
  return {alert_at(rows, row), rows.text(row, kAlertColumnCount), rows.text(row, kAlertColumnCount + 1)};
}

// Only the conditions that are asked for, so that the plan fits them.
struct Conditions {
  std::string sql = "WHERE true";
  Params params;
  int count = 0;

  template <class T>
  void add(std::string_view condition, const std::optional<T>& value) {
    if (!value) return;
    params.add(*value);
    sql += fmt::format(" AND {} ${}", condition, ++count);
  }
  void any_of(std::string_view expression, const std::vector<std::string>& texts) {
    params.texts(texts);
    sql += fmt::format(" AND {} = ANY(${}::text[])", expression, ++count);
  }
};

Conditions conditions_of(Transaction& transaction, const Schema& schema, const AlertFilter& filter) {
  Conditions conditions;
  conditions.add("a.system_id =", filter.system_id);
  conditions.add("a.alert_type =", filter.alert_type);
  conditions.add("a.is_resolved =", filter.resolved);
  conditions.add("a.created_at >=", filter.since);
  conditions.add("a.id <", filter.before);
  if (filter.least_severity) {
    conditions.any_of("a.severity", alerts::severities_from(*filter.least_severity));
  }
  if (filter.organization_id) {
    conditions.any_of("s.organization_id::text",
                      names_of_organization(transaction, schema, filter.organization_id->text()));
  }
  conditions.sql += " ORDER BY a.id DESC";
  if (filter.limit) {
    conditions.params.add(*filter.limit);
    conditions.sql += fmt::format(" LIMIT ${}", ++conditions.count);
  }
  return conditions;
}

}  // namespace

Result<std::vector<UnsentRecord>> AlertStore::unfinished(Time before, std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    // Diffs may outlive their system; nobody is left to be told of.
    const auto rows = connection.run(
        fmt::format(
            "SELECT d.system_id, d.current_id FROM inventory_diffs d WHERE d.notification_sent = false "
            "AND d.created_at < $1 AND d.current_id IS NOT NULL "
            "AND EXISTS (SELECT FROM systems s WHERE {}) "
            "GROUP BY d.system_id, d.current_id ORDER BY d.current_id LIMIT $2",
            schema.equal("s.id", "systems.id", "d.system_id", "inventory_diffs.system_id")),
        Params::of(before, limit));
    std::vector<UnsentRecord> records;
    for (int row = 0; row < rows.count(); ++row) {
      records.push_back({SystemId(rows.text(row, 0)), RecordId{rows.int64(row, 1)}});
    }
    return records;
  });
}

Result<std::vector<ListedAlert>> AlertStore::list(const AlertFilter& filter) {
  return pool_.write(
      [&](Transaction& transaction, const Schema& schema) {
        std::vector<ListedAlert> found;
        if (filter.system_id && !schema.can_hold("inventory_alerts.system_id", filter.system_id->text())) {
          return found;
        }
        auto conditions = conditions_of(transaction, schema, filter);
        const auto rows =
            transaction.run(select_alerts(schema) + conditions.sql, std::move(conditions.params));
        for (int row = 0; row < rows.count(); ++row) found.push_back(listed_at(rows, row));
        return found;
      },
      Plan::scan);
}

Result<std::optional<ListedAlert>> AlertStore::find(alerts::AlertId id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::optional<ListedAlert> {
    const auto rows = connection.run(select_alerts(schema) + "WHERE a.id = $1", Params::of(id));
    if (rows.empty()) return std::nullopt;
    return listed_at(rows, 0);
  });
}

Result<bool> AlertStore::resolve(alerts::AlertId id, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) -> Result<bool> {
    const auto resolved = transaction.run(
        "UPDATE inventory_alerts SET is_resolved = true, resolved_at = $2::timestamptz, updated_at = $2 "
        "WHERE id = $1 AND is_resolved = false",
        Params::of(id, now));
    if (resolved.affected() == 0) {
      const auto found = transaction.run("SELECT FROM inventory_alerts WHERE id = $1", Params::of(id));
      if (found.empty()) return not_found(fmt::format("there is no alert {}", static_cast<std::int64_t>(id)));
      return false;
    }
    transaction.add(
        "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
        "created_at) SELECT DISTINCT channel, alert_id, 'resolved', critical, system_id, organization_id, "
        "$2::timestamptz FROM alert_notifications WHERE alert_id = $1 AND news = 'firing'",
        Params::of(id, now));
    return true;
  });
}

}  // namespace collect::postgres
