// SPDX-License-Identifier: Apache-2.0
// The three tables of organizations, asked as one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/postgres/pool.h"
#include "backend/postgres/rows.h"
#include "backend/postgres/schema.h"
#include "systems/system.h"

namespace collect::postgres {

// customers, resellers or distributors; empty for an owner, who has no table.
std::string_view table_of(systems::OrganizationType type);

// The columns that organization_at() reads, in its order, of a query `o` made here.
inline constexpr std::string_view kOrganizationColumns =
    "o.type, o.row_id, o.logto_id, o.name, o.vat, o.managed_by, o.suspended_at, o.deleted_at";

// Queries, to stand in brackets.
// The one row (or none) whose logto_id, else id, is the organization_id of `s`, a row of systems (so:
// lateral). Customers come before resellers before distributors.
std::string organization_of_system(const Schema& schema);
// The same for the parameter $1, a text that `schema` says all tables can hold or that is no id anywhere.
std::string organization_by_id(const Schema& schema, std::string_view id);
// All of them, the oldest first.
std::string all_organizations();

systems::Organization organization_at(const Rows& rows, int row, int column);

// By logto_id, else by row id; deleted and suspended ones too.
std::optional<systems::Organization> find_organization(Transaction& transaction, const Schema& schema,
                                                       const std::string& id);
// Those texts by which systems may name that organization, it exists or not, that systems.organization_id can
// hold.
std::vector<std::string> names_of_organization(Transaction& transaction, const Schema& schema,
                                               const std::string& id);

}  // namespace collect::postgres
