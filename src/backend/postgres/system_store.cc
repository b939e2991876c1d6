// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/system_store.h"

#include <fmt/format.h>

#include "backend/postgres/organizations.h"
#include "backend/postgres/system_rows.h"
#include "base/json.h"

namespace collect::postgres {
namespace {

using systems::Organization;
using systems::OrganizationType;
using systems::System;

void add_revision(Transaction& transaction, Time now) {
  transaction.add(
      "INSERT INTO collect_state AS c (key, value, updated_at) VALUES ('systems_changed', '1', $1) "
      "ON CONFLICT (key) DO UPDATE SET value = (c.value::bigint + 1)::text, updated_at = EXCLUDED.updated_at",
      Params::of(now));
}

std::string custom_data_of(const Organization& organization) {
  json::Writer writer;
  writer.begin_object();
  if (organization.vat) writer.member("vat", *organization.vat);
  if (organization.managed_by) writer.member("createdBy", *organization.managed_by);
  writer.end_object();
  return writer.text();
}

struct Chosen {
  std::string sql;
  Params params;
  int count = 0;

  template <class T>
  void add(std::string_view clause, const std::optional<T>& value) {
    if (!value) return;
    params.add(*value);
    sql += fmt::format(fmt::runtime(clause), ++count);
  }
};

Chosen choose(Transaction& transaction, const Schema& schema, const systems::SystemFilter& filter) {
  Chosen chosen;
  chosen.sql = filter.include_deleted ? "WHERE true" : "WHERE s.deleted_at IS NULL";
  if (filter.organization_id) {
    const auto names = names_of_organization(transaction, schema, filter.organization_id->text());
    chosen.params.texts(names);
    chosen.sql += fmt::format(" AND s.organization_id = ANY(${}::{}[])", ++chosen.count,
                              schema.type("systems.organization_id"));
  }
  chosen.add(" AND s.status = ${}", filter.status);
  chosen.add(" AND s.type = ${}", filter.type);
  chosen.add(" AND position(lower(${}::text) in lower(concat_ws(E'\\n', s.name, s.fqdn, s.system_key))) > 0",
             filter.search);
  return chosen;
}

std::optional<Time> find_age(Transaction& transaction, const Schema& schema, const SystemId& id) {
  if (!schema.can_hold("systems.id", id.text())) return std::nullopt;
  const auto rows = transaction.run("SELECT created_at FROM systems WHERE id = $1", Params::of(id));
  return rows.empty() ? std::nullopt : std::optional(rows.time(0, 0));
}

Failure not_there(const SystemId& id) {
  return invalid(fmt::format("there is no system {} to go on from", json::quote(id.text())));
}

}  // namespace

Result<std::optional<systems::Login>> SystemStore::find(std::string_view key_or_id) {
  return pool_.read([&](Connection& connection, const Schema& schema) -> std::optional<systems::Login> {
    // The key first: it is what nearly all senders log in with.
    for (const std::string_view column : {"systems.system_key", "systems.id"}) {
      if (!schema.can_hold(column, key_or_id)) continue;
      const auto rows = connection.run(
          fmt::format("{}WHERE s.{} = $1", select_systems(schema), column.substr(column.find('.') + 1)),
          Params::of(key_or_id));
      if (rows.empty()) continue;
      systems::Login login{system_at(rows, 0), std::nullopt};
      if (!rows.is_null(0, 17) && !rows.is_null(0, 18)) {
        login.secret = systems::StoredSecret{rows.text(0, 17), rows.text(0, 18)};
      }
      return login;
    }
    return std::nullopt;
  });
}

Result<std::vector<System>> SystemStore::list(const systems::SystemFilter& filter) {
  return pool_.write(
      [&](Transaction& transaction, const Schema& schema) -> Result<std::vector<System>> {
        std::vector<System> systems;
        auto chosen = choose(transaction, schema, filter);
        if (filter.after) {
          const auto after = find_age(transaction, schema, *filter.after);
          if (!after) return not_there(*filter.after);
          chosen.add(" AND (s.created_at, s.id) > (${},", after);
          chosen.add(" ${})", filter.after);
        }
        chosen.sql += " ORDER BY s.created_at, s.id";
        chosen.add(" LIMIT ${}", filter.limit);
        chosen.add(" OFFSET ${}", std::optional(filter.skip));
        const auto rows = transaction.run(select_systems(schema) + chosen.sql, std::move(chosen.params));
        for (int row = 0; row < rows.count(); ++row) systems.push_back(system_at(rows, row));
        return systems;
      },
      Plan::scan);
}

Result<Count> SystemStore::count(const systems::SystemFilter& filter) {
  return pool_.write(
      [&](Transaction& transaction, const Schema& schema) {
        auto chosen = choose(transaction, schema, filter);
        chosen.add(" LIMIT ${}", std::optional(kCounted + 1));
        const auto rows = transaction.run(
            fmt::format("SELECT count(*) FROM (SELECT FROM systems s {}) AS chosen", chosen.sql),
            std::move(chosen.params));
        return counted(rows.int64(0, 0), rows.int64(0, 0));
      },
      Plan::scan);
}

Result<void> SystemStore::create(const systems::NewSystem& system, Time now) {
  return pool_.write([&](Transaction& transaction, const Schema& schema) -> Result<void> {
    const auto organization = find_organization(transaction, schema, system.organization_id.text());
    if (!organization || organization->deleted_at) {
      return not_found(
          fmt::format("there is no organization {}", json::quote(system.organization_id.text())));
    }
    const auto inserted = transaction.run(
        "INSERT INTO systems (id, name, status, organization_id, system_key, system_secret_public, "
        "system_secret_sha256, custom_data, notes, created_by, created_at, updated_at, registered_at) "
        "VALUES ($1, nullif($2, ''), 'unknown', $3, $4, $5, $6, '{}', '', '{}', $7, $7, $8) ON CONFLICT DO "
        "NOTHING",
        Params::of(system.id, system.name, organization->logto_id, system.system_key,
                   system.secret.public_part, system.secret.secret_sha256, now,
                   system.registered ? std::optional(now) : std::nullopt));
    if (inserted.affected() == 0) {
      return conflict(fmt::format("a system with the key {}, or with this id or secret, exists already",
                                  json::quote(system.system_key)));
    }
    add_revision(transaction, now);
    return {};
  });
}

Result<void> SystemStore::change(const SystemId& system_id, const systems::SystemChange& change, Time now) {
  using Suspension = systems::SystemChange::Suspension;
  return pool_.write([&](Transaction& transaction, const Schema& schema) -> Result<void> {
    const auto missing = not_found(fmt::format("there is no system {}", json::quote(system_id.text())));
    if (!schema.can_hold("systems.id", system_id.text())) return missing;
    const auto changed = transaction.run(
        "UPDATE systems SET updated_at = $2::timestamptz, "
        "suspended_at = CASE WHEN $3::boolean THEN coalesce(suspended_at, $2) WHEN $4::boolean THEN NULL "
        "ELSE suspended_at END, "
        "suspended_by_org_id = CASE WHEN $4 THEN NULL ELSE suspended_by_org_id END, "
        "system_secret_public = coalesce($5, system_secret_public), "
        "system_secret_sha256 = coalesce($6, system_secret_sha256), "
        "status = CASE WHEN $7::boolean THEN 'deleted' ELSE status END, "
        "deleted_at = CASE WHEN $7 THEN coalesce(deleted_at, $2) ELSE deleted_at END WHERE id = $1",
        Params::of(
            system_id, now, change.suspension == Suspension::suspend, change.suspension == Suspension::lift,
            change.secret ? std::optional(change.secret->public_part) : std::nullopt,
            change.secret ? std::optional(change.secret->secret_sha256) : std::nullopt, change.remove));
    if (changed.affected() == 0) return missing;
    add_revision(transaction, now);
    return {};
  });
}

Result<void> SystemStore::create_organization(const Organization& organization, Time now) {
  if (organization.type == OrganizationType::owner) {
    return invalid("expected an organization of type customer, reseller or distributor, got owner");
  }
  return pool_.write([&](Transaction& transaction, const Schema& schema) -> Result<void> {
    const auto taken =
        conflict(fmt::format("an organization {} exists already", json::quote(organization.row_id)));
    if (find_organization(transaction, schema, organization.row_id) ||
        find_organization(transaction, schema, organization.logto_id.text())) {
      return taken;
    }
    const auto inserted = transaction.run(
        fmt::format("INSERT INTO {} (id, logto_id, name, custom_data, created_at, updated_at, suspended_at, "
                    "deleted_at) VALUES ($1, nullif($2, ''), $3, $4, $5, $5, $6, $7) ON CONFLICT DO NOTHING",
                    table_of(organization.type)),
        Params::of(organization.row_id, organization.logto_id, organization.name,
                   custom_data_of(organization), now, organization.suspended_at, organization.deleted_at));
    if (inserted.affected() == 0) return taken;
    return {};
  });
}

Result<std::vector<Organization>> SystemStore::list_organizations() {
  return pool_.write(
      [&](Transaction& transaction, const Schema&) {
        const auto rows = transaction.run(
            fmt::format("SELECT {} FROM ({}) AS o", kOrganizationColumns, all_organizations()));
        std::vector<Organization> organizations;
        for (int row = 0; row < rows.count(); ++row) organizations.push_back(organization_at(rows, row, 0));
        return organizations;
      },
      Plan::scan);
}

Result<std::int64_t> SystemStore::revision() {
  return pool_.read([&](Connection& connection, const Schema&) {
    const auto rows = connection.run("SELECT value FROM collect_state WHERE key = 'systems_changed'");
    return rows.empty() ? std::int64_t{0} : rows.int64(0, 0);
  });
}

}  // namespace collect::postgres
