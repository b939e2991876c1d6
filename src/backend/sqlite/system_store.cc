// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/system_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "backend/sqlite/organizations.h"
#include "backend/sqlite/system_rows.h"
#include "base/json.h"

namespace collect::sqlite {
namespace {

using systems::System;

std::optional<systems::Login> login_of(Snapshot& snapshot, Cursor row) {
  if (!row.next()) return std::nullopt;
  systems::Login login{system_of(row), std::nullopt};
  if (!row.is_null(17) && !row.is_null(18)) login.secret = systems::StoredSecret{row.text(17), row.text(18)};
  login.system.organization = organization_or_owner(snapshot, login.system.organization_id);
  return login;
}

void bump_revision(Transaction& transaction, Time now) {
  transaction.run(
      "INSERT INTO collect_state(key, value, updated_at) VALUES ('systems_changed', '1', ?1)"
      " ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT),"
      "   updated_at = excluded.updated_at",
      now);
}

std::string custom_data_of(const systems::Organization& organization) {
  json::Writer writer;
  writer.begin_object();
  if (organization.vat) writer.member("vat", *organization.vat);
  if (organization.managed_by) writer.member("createdBy", *organization.managed_by);
  writer.end_object();
  return writer.text();
}

bool exists(Snapshot& snapshot, const systems::Organization& organization) {
  return find_organization(snapshot, OrganizationId(organization.row_id)).has_value() ||
         find_organization(snapshot, organization.logto_id).has_value();
}

// ?1 to ?6: include_deleted, the organization's names, status, type, search.
const std::string kOfOrganization = " WHERE s.organization_id IN (?2, ?3)";
const std::string kChosen =
    " AND (?1 OR s.deleted_at IS NULL) AND (?4 IS NULL OR s.status = ?4) AND (?5 IS NULL OR s.type = ?5)"
    " AND (?6 IS NULL OR instr(lower(coalesce(s.name, '') || char(10) || coalesce(s.fqdn, '') || char(10)"
    "   || s.system_key), lower(?6)) > 0)";

std::array<std::optional<OrganizationId>, 2> names_of(Snapshot& snapshot,
                                                      const systems::SystemFilter& filter) {
  std::array<std::optional<OrganizationId>, 2> names;
  if (filter.organization_id)
    std::ranges::copy(names_of_organization(snapshot, *filter.organization_id), names.begin());
  return names;
}

// As it is stored; empty: no such system.
std::string created_at_of(Snapshot& snapshot, const SystemId& id) {
  auto row = snapshot.query("SELECT created_at FROM systems WHERE id = ?", id);
  return row.next() ? row.text(0) : std::string();
}

}  // namespace

Result<std::optional<systems::Login>> SystemStore::find(std::string_view key_or_id) {
  static const std::string by_key = select_systems() + " WHERE s.system_key = ?";
  static const std::string by_id = select_systems() + " WHERE s.id = ?";
  return database_.read([&](Snapshot& snapshot) {
    auto login = login_of(snapshot, snapshot.query(by_key, key_or_id));
    if (!login) login = login_of(snapshot, snapshot.query(by_id, key_or_id));
    return login;
  });
}

Result<std::vector<System>> SystemStore::list(const systems::SystemFilter& filter) {
  static const std::string rest =
      kChosen + " AND (s.created_at, s.id) > (?7, ?8) ORDER BY s.created_at, s.id LIMIT ?9 OFFSET ?10";
  static const std::string all = select_systems() + " WHERE true" + rest;
  static const std::string of_organization = select_systems() + kOfOrganization + rest;
  return database_.read([&](Snapshot& snapshot) -> Result<std::vector<System>> {
    const std::string after = filter.after ? filter.after->text() : "";
    const std::string created_at = filter.after ? created_at_of(snapshot, *filter.after) : "";
    if (filter.after && created_at.empty()) {
      return invalid(fmt::format("there is no system {} to go on from", json::quote(after)));
    }
    const auto names = names_of(snapshot, filter);
    auto row =
        snapshot.query(filter.organization_id ? of_organization : all, filter.include_deleted, names[0],
                       names[1], filter.status, filter.type, filter.search, created_at, after,
                       filter.limit ? static_cast<std::int64_t>(*filter.limit) : -1, filter.skip);
    std::vector<System> found;
    std::map<OrganizationId, systems::Organization> organizations;
    while (row.next()) {
      auto& system = found.emplace_back(system_of(row));
      auto [place, is_new] = organizations.try_emplace(system.organization_id);
      if (is_new) place->second = organization_or_owner(snapshot, system.organization_id);
      system.organization = place->second;
    }
    return found;
  });
}

Result<Count> SystemStore::count(const systems::SystemFilter& filter) {
  static const std::string all =
      "SELECT count(*) FROM (SELECT 1 FROM systems s WHERE true" + kChosen + " LIMIT ?7)";
  static const std::string of_organization =
      "SELECT count(*) FROM (SELECT 1 FROM systems s" + kOfOrganization + kChosen + " LIMIT ?7)";
  return database_.read([&](Snapshot& snapshot) {
    const auto names = names_of(snapshot, filter);
    auto row = snapshot.query(filter.organization_id ? of_organization : all, filter.include_deleted,
                              names[0], names[1], filter.status, filter.type, filter.search, kCounted + 1);
    row.next();
    return counted(row.int64(0), row.int64(0));
  });
}

Result<void> SystemStore::create(const systems::NewSystem& system, Time now) {
  return database_.write([&](Transaction& transaction) -> Result<void> {
    const auto organization = find_organization(transaction, system.organization_id);
    if (!organization || organization->deleted_at)
      return not_found(
          fmt::format("there is no organization {}", json::quote(system.organization_id.text())));
    const auto inserted = transaction.run(
        "INSERT INTO systems(id, name, status, organization_id, system_key, system_secret_public,"
        "   system_secret_sha256, created_at, updated_at, registered_at)"
        " VALUES (?1, nullif(?2, ''), 'unknown', ?3, ?4, ?5, ?6, ?7, ?7, ?8) ON CONFLICT DO NOTHING",
        system.id, system.name, organization->logto_id, system.system_key, system.secret.public_part,
        system.secret.secret_sha256, now, system.registered ? std::optional(now) : std::nullopt);
    if (inserted == 0)
      return conflict(fmt::format("a system with the key {}, or with this id or secret, exists already",
                                  json::quote(system.system_key)));
    bump_revision(transaction, now);
    return {};
  });
}

Result<void> SystemStore::change(const SystemId& system_id, const systems::SystemChange& change, Time now) {
  using Suspension = systems::SystemChange::Suspension;
  return database_.write([&](Transaction& transaction) -> Result<void> {
    const auto changed = transaction.run(
        "UPDATE systems SET updated_at = ?2,"
        "   suspended_at = CASE WHEN ?3 THEN coalesce(suspended_at, ?2) WHEN ?4 THEN NULL ELSE suspended_at "
        "END,"
        "   suspended_by_org_id = CASE WHEN ?4 THEN NULL ELSE suspended_by_org_id END,"
        "   system_secret_public = coalesce(?5, system_secret_public),"
        "   system_secret_sha256 = coalesce(?6, system_secret_sha256),"
        "   status = CASE WHEN ?7 THEN 'deleted' ELSE status END,"
        "   deleted_at = CASE WHEN ?7 THEN coalesce(deleted_at, ?2) ELSE deleted_at END"
        " WHERE id = ?1",
        system_id, now, change.suspension == Suspension::suspend, change.suspension == Suspension::lift,
        change.secret ? std::optional(change.secret->public_part) : std::nullopt,
        change.secret ? std::optional(change.secret->secret_sha256) : std::nullopt, change.remove);
    if (changed == 0) return not_found(fmt::format("there is no system {}", json::quote(system_id.text())));
    bump_revision(transaction, now);
    return {};
  });
}

Result<void> SystemStore::create_organization(const systems::Organization& organization, Time now) {
  using systems::OrganizationType;
  if (organization.type == OrganizationType::owner)
    return invalid("expected an organization of type customer, reseller or distributor, got owner");
  return database_.write([&](Transaction& transaction) -> Result<void> {
    if (exists(transaction, organization))
      return conflict(fmt::format("an organization {} exists already", json::quote(organization.row_id)));
    transaction.run(fmt::format("INSERT INTO {}s(id, logto_id, name, custom_data, created_at, updated_at,"
                                "   suspended_at, deleted_at)"
                                " VALUES (?1, nullif(?2, ''), ?3, ?4, ?5, ?5, ?6, ?7)",
                                systems::to_string(organization.type)),
                    organization.row_id, organization.logto_id, organization.name,
                    custom_data_of(organization), now, organization.suspended_at, organization.deleted_at);
    return {};
  });
}

Result<std::vector<systems::Organization>> SystemStore::list_organizations() {
  return database_.read([](Snapshot& snapshot) { return all_organizations(snapshot); });
}

Result<std::int64_t> SystemStore::revision() {
  return database_.read([](Snapshot& snapshot) {
    auto row =
        snapshot.query("SELECT CAST(value AS INTEGER) FROM collect_state WHERE key = 'systems_changed'");
    return row.next() ? row.int64(0) : std::int64_t{0};
  });
}

}  // namespace collect::sqlite
