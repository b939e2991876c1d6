// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/organizations.h"

#include <string>

namespace collect::sqlite {
namespace {

// Other programs may have left anything in custom_data, and ->> on what is no JSON is an error.
std::string columns_of(const std::string& type) {
  return "SELECT '" + type +
         "', id, coalesce(nullif(logto_id, ''), id), name,"
         " CASE WHEN json_valid(custom_data) THEN nullif(custom_data ->> '$.vat', '') END,"
         " CASE WHEN json_valid(custom_data) THEN nullif(custom_data ->> '$.createdBy', '') END,"
         " suspended_at, deleted_at, created_at FROM " +
         type + "s";
}

std::string over_all_tables(const std::string& condition, const std::string& end) {
  return columns_of("customer") + condition + " UNION ALL " + columns_of("reseller") + condition +
         " UNION ALL " + columns_of("distributor") + condition + end;
}

systems::Organization organization_of(const Cursor& row) {
  systems::Organization organization;
  organization.type =
      systems::parse_organization_type(row.view(0)).value_or(systems::OrganizationType::customer);
  organization.row_id = row.text(1);
  organization.logto_id = OrganizationId(row.text(2));
  organization.name = row.text(3);
  organization.vat = row.maybe_text(4);
  organization.managed_by = row.maybe_text(5);
  organization.suspended_at = row.maybe_time(6);
  organization.deleted_at = row.maybe_time(7);
  return organization;
}

}  // namespace

std::optional<systems::Organization> find_organization(Snapshot& snapshot, const OrganizationId& id) {
  static const std::string by_logto_id = over_all_tables(" WHERE logto_id = ?1", " LIMIT 1");
  static const std::string by_row_id = over_all_tables(" WHERE id = ?1", " LIMIT 1");
  if (id.empty()) return std::nullopt;
  for (const auto* sql : {&by_logto_id, &by_row_id}) {
    auto row = snapshot.query(*sql, id);
    if (row.next()) return organization_of(row);
  }
  return std::nullopt;
}

systems::Organization organization_or_owner(Snapshot& snapshot, const OrganizationId& id) {
  if (auto found = find_organization(snapshot, id)) return std::move(*found);
  systems::Organization owner;
  owner.logto_id = id;
  owner.type = systems::OrganizationType::owner;
  return owner;
}

std::array<OrganizationId, 2> names_of_organization(Snapshot& snapshot, const OrganizationId& id) {
  const auto found = find_organization(snapshot, id);
  if (!found) return {id, id};
  return {found->logto_id, OrganizationId(found->row_id)};
}

std::vector<systems::Organization> all_organizations(Snapshot& snapshot) {
  static const std::string sql = over_all_tables("", " ORDER BY 9, 2");
  std::vector<systems::Organization> organizations;
  auto row = snapshot.query(sql);
  while (row.next()) organizations.push_back(organization_of(row));
  return organizations;
}

}  // namespace collect::sqlite
