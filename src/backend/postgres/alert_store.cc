// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/alert_store.h"

#include <fmt/format.h>

#include <set>

#include "backend/postgres/alert_rows.h"
#include "backend/postgres/organizations.h"

namespace collect::postgres {
namespace {

using alerts::AlertFilter;
using alerts::ListedAlert;
using alerts::ShownAlert;
using alerts::UnsentRecord;

// `more`: columns of the change.
std::string select_alerts(const Schema& schema, std::string_view more = "") {
  return fmt::format(
      "SELECT {}, s.system_key, s.name{} FROM inventory_alerts a {} LEFT JOIN systems s ON {} ",
      kAlertColumns, more, kDiffOfAlert,
      schema.equal("s.id", "systems.id", "a.system_id", "inventory_alerts.system_id"));
}

ListedAlert listed_at(const Rows& rows, int row) {
  return {alert_at(rows, row), rows.text(row, kAlertColumnCount), rows.text(row, kAlertColumnCount + 1)};
}

ShownAlert shown_at(const Rows& rows, int row) {
  return {listed_at(rows, row), diff::parse_change_type(rows.view(row, kAlertColumnCount + 2)),
          rows.maybe_text(row, kAlertColumnCount + 3), rows.maybe_text(row, kAlertColumnCount + 4)};
}

// Only the conditions that are asked for, so that the plan fits them.
struct Conditions {
  std::string sql = "WHERE true";
  Params params;
  int count = 0;

  template <class T>
  void clause(std::string_view words, const std::optional<T>& value) {
    if (!value) return;
    params.add(*value);
    sql += fmt::format("{} ${}", words, ++count);
  }
  template <class T>
  void add(std::string_view condition, const std::optional<T>& value) {
    clause(fmt::format(" AND {}", condition), value);
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
        conditions.sql += " ORDER BY a.id DESC";
        conditions.clause(" LIMIT", filter.limit);
        conditions.clause(" OFFSET", std::optional(filter.skip));
        const auto rows =
            transaction.run(select_alerts(schema) + conditions.sql, std::move(conditions.params));
        for (int row = 0; row < rows.count(); ++row) found.push_back(listed_at(rows, row));
        return found;
      },
      Plan::scan);
}

Result<Count> AlertStore::count(const AlertFilter& filter) {
  return pool_.write(
      [&](Transaction& transaction, const Schema& schema) {
        if (filter.system_id && !schema.can_hold("inventory_alerts.system_id", filter.system_id->text())) {
          return Count{};
        }
        AlertFilter all = filter;
        all.before = std::nullopt;
        auto conditions = conditions_of(transaction, schema, all);
        conditions.clause(" LIMIT", std::optional(kCounted + 1));
        const auto rows = transaction.run(
            fmt::format("SELECT count(*) FROM (SELECT FROM inventory_alerts a{} {}) AS chosen",
                        filter.organization_id
                            ? " LEFT JOIN systems s ON " + schema.equal("s.id", "systems.id", "a.system_id",
                                                                        "inventory_alerts.system_id")
                            : "",
                        conditions.sql),
            std::move(conditions.params));
        return counted(rows.int64(0, 0), rows.int64(0, 0));
      },
      Plan::scan);
}

Result<std::optional<ShownAlert>> AlertStore::find(alerts::AlertId id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::optional<ShownAlert> {
    const auto rows = connection.run(
        select_alerts(schema, ", d.diff_type, d.previous_value, d.current_value") + "WHERE a.id = $1",
        Params::of(id));
    if (rows.empty()) return std::nullopt;
    return shown_at(rows, 0);
  });
}

Result<bool> AlertStore::raise(const alerts::StandingAlert& alert, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    if (!schema.can_hold("systems.id", alert.system_id.text())) return false;
    // The first number tells this use of advisory locks from others; it is arbitrary.
    transaction.add("SELECT pg_advisory_xact_lock(1634496885, hashtext($1))", Params::of(alert.system_id));
    const auto made = transaction.run(
        "INSERT INTO inventory_alerts (system_id, rule, alert_type, message, severity, is_resolved, "
        "created_at, updated_at) "
        "SELECT s.id, $2::text, $2, $3, $4, false, $5::timestamptz, $5 FROM systems s WHERE s.id = $1 AND "
        "NOT EXISTS "
        "(SELECT FROM inventory_alerts a WHERE a.system_id = $6 AND a.rule = $2 AND a.is_resolved = false) "
        "RETURNING id",
        Params::of(alert.system_id, alert.rule, alert.message, diff::to_string(alert.severity), now,
                   alert.system_id));
    if (made.empty()) return false;
    Params params;
    params.array(std::set<std::string>(alert.channels.begin(), alert.channels.end()),
                 [](const std::string& channel) { return std::string_view(channel); });
    params.add(made.int64(0, 0))
        .add(alert.severity == diff::Severity::critical)
        .add(alert.system_id)
        .add(alert.organization_id)
        .add(now);
    transaction.add(
        "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
        "created_at) SELECT channel, $2, 'firing', $3, $4, $5, $6 FROM unnest($1::text[]) AS channel",
        std::move(params));
    return true;
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
