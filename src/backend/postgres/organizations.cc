// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/organizations.h"

#include <fmt/format.h>

namespace collect::postgres {
namespace {

using systems::OrganizationType;

constexpr OrganizationType kInTables[] = {OrganizationType::customer, OrganizationType::reseller,
                                          OrganizationType::distributor};

std::string select_from(OrganizationType type, int rank, std::string_view where) {
  return fmt::format(
      "SELECT '{0}'::text AS type, t.id::text AS row_id,"
      " coalesce(nullif(t.logto_id::text, ''), t.id::text) AS logto_id, t.name,"
      " nullif(t.custom_data ->> 'vat', '') AS vat, nullif(t.custom_data ->> 'createdBy', '') AS managed_by,"
      " t.suspended_at, t.deleted_at, t.created_at, {1} AS rank FROM {2} t {3}",
      systems::to_string(type), rank, table_of(type), where);
}

}  // namespace

std::string_view table_of(OrganizationType type) {
  switch (type) {
    case OrganizationType::customer:
      return "customers";
    case OrganizationType::reseller:
      return "resellers";
    case OrganizationType::distributor:
      return "distributors";
    case OrganizationType::owner:
      return "";
  }
  return "";
}

std::string organization_of_system(const Schema& schema) {
  std::string sql = "SELECT * FROM (";
  int rank = 0;
  for (const std::string_view column : {"logto_id", "id"}) {
    for (const auto type : kInTables) {
      const auto table = table_of(type);
      if (rank > 0) sql += " UNION ALL ";
      sql += select_from(
          type, rank++,
          "WHERE " + schema.equal(fmt::format("t.{}", column), fmt::format("{}.{}", table, column),
                                  "s.organization_id", "systems.organization_id"));
    }
  }
  return sql + ") AS found ORDER BY rank LIMIT 1";
}

std::string organization_by_id(const Schema& schema, std::string_view id) {
  std::string sql;
  int rank = 0;
  for (const std::string_view column : {"logto_id", "id"}) {
    for (const auto type : kInTables) {
      const auto table = table_of(type);
      const auto name = fmt::format("{}.{}", table, column);
      if (!schema.can_hold(name, id)) continue;
      if (rank > 0) sql += " UNION ALL ";
      sql += select_from(type, rank++, fmt::format("WHERE t.{} = $1::text::{}", column, schema.type(name)));
    }
  }
  if (sql.empty()) return select_from(OrganizationType::customer, 0, "WHERE $1::text IS NULL");
  return "SELECT * FROM (" + sql + ") AS found ORDER BY rank LIMIT 1";
}

std::string all_organizations() {
  std::string sql;
  int rank = 0;
  for (const auto type : kInTables) {
    if (rank > 0) sql += " UNION ALL ";
    sql += select_from(type, rank++, "");
  }
  return sql + " ORDER BY created_at, row_id";
}

systems::Organization organization_at(const Rows& rows, int row, int column) {
  systems::Organization organization;
  organization.type =
      systems::parse_organization_type(rows.view(row, column)).value_or(OrganizationType::owner);
  organization.row_id = rows.text(row, column + 1);
  organization.logto_id = OrganizationId(rows.text(row, column + 2));
  organization.name = rows.text(row, column + 3);
  organization.vat = rows.maybe_text(row, column + 4);
  organization.managed_by = rows.maybe_text(row, column + 5);
  organization.suspended_at = rows.maybe_time(row, column + 6);
  organization.deleted_at = rows.maybe_time(row, column + 7);
  return organization;
}

std::optional<systems::Organization> find_organization(Transaction& transaction, const Schema& schema,
                                                       const std::string& id) {
  if (id.empty() || !schema.can_hold("", id)) return std::nullopt;
  const auto rows = transaction.run(
      fmt::format("SELECT {} FROM ({}) AS o", kOrganizationColumns, organization_by_id(schema, id)),
      Params::of(id));
  if (rows.empty()) return std::nullopt;
  return organization_at(rows, 0, 0);
}

std::vector<std::string> names_of_organization(Transaction& transaction, const Schema& schema,
                                               const std::string& id) {
  std::vector<std::string> names{id};
  if (const auto found = find_organization(transaction, schema, id)) {
    names = {found->logto_id.text(), found->row_id};
  }
  std::erase_if(names, [&](const auto& name) { return !schema.can_hold("systems.organization_id", name); });
  return names;
}

}  // namespace collect::postgres
