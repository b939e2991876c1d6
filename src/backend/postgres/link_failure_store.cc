// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/link_failure_store.h"

#include <fmt/format.h>

#include <map>

#include "backend/postgres/facts.h"
#include "backend/postgres/system_rows.h"

namespace collect::postgres {
namespace {

using alerts::AlertId;
using liveness::LinkFailure;
using liveness::LinkState;
using liveness::NewLinkFailure;
using liveness::Relabelled;
using liveness::Untold;

// Ids are compared as texts: one order for both tables, whatever the type of systems.id.
constexpr std::string_view kPage =
    "SELECT s.id::text AS id FROM systems s "
    "WHERE s.status = 'inactive' AND s.status IN ('unknown', 'inactive') AND s.deleted_at IS NULL "
    "AND s.id::text > $1 UNION SELECT f.system_id FROM link_failures f WHERE f.system_id > $1 "
    "ORDER BY id LIMIT $2";

constexpr std::string_view kFailures =
    "SELECT f.system_id, f.alert_id, f.last_heartbeat, a.created_at, a.is_resolved, "
    "coalesce(a.resolved_at, a.updated_at, a.created_at), f.told, a.message, a.severity = 'critical', "
    "f.tenant, f.labels "
    "FROM link_failures f JOIN inventory_alerts a ON a.id = f.alert_id WHERE f.system_id = ANY($1::text[])";

std::map<SystemId, LinkFailure> failures_from(const Rows& rows) {
  std::map<SystemId, LinkFailure> failures;
  for (int row = 0; row < rows.count(); ++row) {
    LinkFailure failure;
    failure.alert_id = AlertId{rows.int64(row, 1)};
    failure.last_heartbeat = rows.maybe_time(row, 2);
    failure.noticed = rows.time(row, 3);
    if (rows.flag(row, 4)) failure.resolved_at = rows.time(row, 5);
    failure.told = rows.flag(row, 6);
    failure.message = rows.text(row, 7);
    failure.critical = rows.flag(row, 8);
    failure.posted = {rows.text(row, 9), liveness::labels_from_json(rows.view(row, 10))};
    failures.emplace(SystemId(rows.text(row, 0)), std::move(failure));
  }
  return failures;
}

std::vector<LinkState> lock_and_read(Transaction& transaction, const Schema& schema,
                                     const std::vector<std::string>& ids) {
  std::vector<std::string> possible;
  for (const auto& id : ids) {
    if (schema.can_hold("systems.id", id)) possible.push_back(id);
  }
  add_system_lock(transaction, schema, possible);
  transaction.add(select_systems(schema) + fmt::format("WHERE s.id = ANY($1::{}[]) ORDER BY s.id::text",
                                                       schema.type("systems.id")),
                  Params().texts(possible));
  transaction.add(std::string(kFailures), Params().texts(ids));
  const auto answers = transaction.flush();
  auto failures = failures_from(answers[2]);
  std::vector<LinkState> states;
  for (int row = 0; row < answers[1].count(); ++row) {
    LinkState state{system_at(answers[1], row), std::nullopt};
    if (const auto failure = failures.extract(state.system.id)) state.failure = failure.mapped();
    states.push_back(std::move(state));
  }
  // Where another program's tables let a system go and its alerts stay.
  if (!failures.empty())
    transaction.add("DELETE FROM link_failures WHERE alert_id = ANY($1::bigint[])",
                    Params().array(failures, [](const auto& each) { return each.second.alert_id; }));
  return states;
}

void resolve(Transaction& transaction, const std::vector<AlertId>& resolved, Time now) {
  if (resolved.empty()) return;
  transaction.add(
      "WITH done AS (UPDATE inventory_alerts SET is_resolved = true, resolved_at = $2::timestamptz, "
      "updated_at = $2 WHERE id = ANY($1::bigint[]) AND is_resolved = false RETURNING id) "
      "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
      "created_at) SELECT DISTINCT n.channel, n.alert_id, 'resolved', n.critical, n.system_id, "
      "n.organization_id, $2::timestamptz FROM alert_notifications n JOIN done ON done.id = n.alert_id "
      "WHERE n.news = 'firing'",
      Params().array(resolved, [](AlertId id) { return id; }).add(now));
}

std::vector<AlertId> begin(Transaction& transaction, const Schema& schema,
                           const std::vector<NewLinkFailure>& begun, Time now) {
  if (begun.empty()) return {};
  const auto system_id = [](const NewLinkFailure& one) { return one.system_id; };
  const auto made = transaction.run(
      fmt::format(
          "INSERT INTO inventory_alerts (system_id, rule, alert_type, message, severity, is_resolved, "
          "created_at, updated_at) SELECT u.system_id::{}, 'link_failed', 'link_failed', u.message, "
          "u.severity, false, $4::timestamptz, $4 "
          "FROM unnest($1::text[], $2::text[], $3::text[]) AS u(system_id, message, severity) "
          "RETURNING id, system_id",
          schema.type("inventory_alerts.system_id")),
      Params()
          .array(begun, system_id)
          .array(begun, [](const NewLinkFailure& one) { return std::string_view(one.message); })
          .array(begun, [](const NewLinkFailure& one) { return diff::to_string(one.severity); })
          .add(now));
  std::map<SystemId, AlertId> alert_of;
  for (int row = 0; row < made.count(); ++row) {
    alert_of.emplace(SystemId(made.text(row, 1)), AlertId{made.int64(row, 0)});
  }
  std::vector<AlertId> ids;
  for (const auto& one : begun) ids.push_back(alert_of.at(one.system_id));
  transaction.add(
      "INSERT INTO link_failures (system_id, alert_id, last_heartbeat, tenant, labels) "
      "SELECT u.system_id, u.alert_id, u.last_heartbeat, u.tenant, u.labels::jsonb "
      "FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[]) "
      "AS u(system_id, alert_id, last_heartbeat, tenant, labels) "
      "ON CONFLICT (system_id) DO UPDATE SET alert_id = EXCLUDED.alert_id, told = false, "
      "last_heartbeat = EXCLUDED.last_heartbeat, tenant = EXCLUDED.tenant, labels = EXCLUDED.labels",
      Params()
          .array(begun, system_id)
          .array(ids, [](AlertId id) { return id; })
          .array(begun, [](const NewLinkFailure& one) { return one.last_heartbeat; })
          .array(begun, [](const NewLinkFailure& one) { return std::string_view(one.posted.tenant); })
          .array(begun,
                 [](const NewLinkFailure& one) { return liveness::labels_to_json(one.posted.labels); }));
  return ids;
}

void relabel(Transaction& transaction, const std::vector<Relabelled>& relabelled) {
  if (relabelled.empty()) return;
  transaction.add(
      "UPDATE link_failures AS f SET tenant = u.tenant, labels = u.labels::jsonb "
      "FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u(alert_id, tenant, labels) "
      "WHERE f.alert_id = u.alert_id",
      Params()
          .array(relabelled, [](const Relabelled& one) { return one.alert_id; })
          .array(relabelled, [](const Relabelled& one) { return std::string_view(one.posted.tenant); })
          .array(relabelled,
                 [](const Relabelled& one) { return liveness::labels_to_json(one.posted.labels); }));
}

void add_forget(Transaction& transaction, std::span<const AlertId> outages) {
  if (outages.empty()) return;
  transaction.add("DELETE FROM link_failures WHERE alert_id = ANY($1::bigint[])",
                  Params().array(outages, [](AlertId id) { return id; }));
}

}  // namespace

Result<liveness::Reviewed> LinkFailureStore::review(const SystemId& after, std::size_t limit, Time now,
                                                    const liveness::DecidePlan& decide) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) {
    liveness::Reviewed reviewed;
    const auto page = transaction.run(std::string(kPage), Params::of(after, limit));
    std::vector<std::string> ids;
    for (int row = 0; row < page.count(); ++row) ids.push_back(page.text(row, 0));
    if (ids.empty()) return reviewed;
    reviewed.last = SystemId(ids.back());
    const auto plan = decide(lock_and_read(transaction, schema, ids));
    resolve(transaction, plan.resolved, now);
    reviewed.begun = begin(transaction, schema, plan.begun, now);
    relabel(transaction, plan.relabelled);
    add_forget(transaction, plan.forgotten);
    return reviewed;
  });
}

Result<std::size_t> LinkFailureStore::tell(std::span<const Untold> outages,
                                           std::span<const std::string> channels, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema&) {
    const auto rows = transaction.run(
        "UPDATE link_failures AS f SET told = true FROM inventory_alerts a "
        "WHERE a.id = f.alert_id AND f.alert_id = ANY($1::bigint[]) AND NOT f.told AND NOT a.is_resolved "
        "RETURNING f.alert_id",
        Params().array(outages, [](const Untold& one) { return one.alert_id; }));
    std::map<AlertId, const Untold*> by_id;
    for (const Untold& one : outages) by_id.emplace(one.alert_id, &one);
    std::vector<const Untold*> news;
    for (int row = 0; row < rows.count(); ++row) news.push_back(by_id.at(AlertId{rows.int64(row, 0)}));
    transaction.add(
        "INSERT INTO alert_notifications (channel, alert_id, news, critical, system_id, organization_id, "
        "created_at) SELECT c.channel, u.alert_id, 'firing', u.critical, u.system_id, u.organization_id, "
        "$6::timestamptz FROM unnest($1::text[]) AS c(channel), "
        "unnest($2::bigint[], $3::boolean[], $4::text[], $5::text[]) "
        "AS u(alert_id, critical, system_id, organization_id) ORDER BY u.alert_id",
        Params()
            .array(channels, [](const std::string& channel) { return std::string_view(channel); })
            .array(news, [](const Untold* one) { return one->alert_id; })
            .array(news, [](const Untold* one) { return one->critical; })
            .array(news, [](const Untold* one) { return one->system_id; })
            .array(news, [](const Untold* one) { return one->organization_id; })
            .add(now));
    return news.size();
  });
}

Result<void> LinkFailureStore::forget(std::span<const AlertId> outages) {
  return pool_.write([&](Transaction& transaction, const Schema&) { add_forget(transaction, outages); });
}

Result<liveness::FleetCount> LinkFailureStore::count() {
  return pool_.write(
      [&](Transaction& transaction, const Schema&) {
        transaction.add(
            "SELECT status, count(*), count(*) FILTER (WHERE suspended_at IS NULL) FROM systems "
            "WHERE deleted_at IS NULL GROUP BY status");
        transaction.add(
            "SELECT count(*) FROM link_failures f JOIN inventory_alerts a ON a.id = f.alert_id "
            "WHERE NOT a.is_resolved");
        const auto answers = transaction.flush();
        liveness::FleetCount count;
        for (int row = 0; row < answers[0].count(); ++row) {
          count.by_status[answers[0].text(row, 0)] = static_cast<std::uint64_t>(answers[0].int64(row, 1));
          if (answers[0].view(row, 0) == "active")
            count.active = static_cast<std::uint64_t>(answers[0].int64(row, 2));
        }
        count.link_failed = static_cast<std::uint64_t>(answers[1].int64(0, 0));
        return count;
      },
      Plan::scan);
}

}  // namespace collect::postgres
