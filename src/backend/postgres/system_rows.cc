// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/system_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/postgres/organizations.h"

namespace collect::postgres {
namespace {

using systems::System;

// Columns 0 to 18; the organization's begin at 19.
constexpr int kOrganizationAt = 19;

// inet prints a single address without its /32 or /128, unless somebody stored a network.
std::optional<std::string> address_at(const Rows& rows, int row, int column) {
  auto address = rows.maybe_text(row, column);
  if (address) address->resize(std::min(address->find('/'), address->size()));
  return address;
}

}  // namespace

std::string select_systems(const Schema& schema) {
  return fmt::format(
      "SELECT s.id, s.system_key, s.name, s.type, s.fqdn, s.ipv4_address, s.ipv6_address, s.version, "
      "s.status, "
      "s.organization_id, s.created_at, s.updated_at, s.registered_at, s.suspended_at, s.last_inventory_at, "
      "s.deleted_at, h.last_heartbeat, s.system_secret_public, s.system_secret_sha256, {} "
      "FROM systems s LEFT JOIN system_heartbeats h ON h.system_id = s.id LEFT JOIN LATERAL ({}) AS o ON "
      "true ",
      kOrganizationColumns, organization_of_system(schema));
}

System system_at(const Rows& rows, int row) {
  System system;
  system.id = SystemId(rows.text(row, 0));
  system.system_key = rows.text(row, 1);
  system.name = rows.text(row, 2);
  system.type = rows.maybe_text(row, 3);
  system.fqdn = rows.maybe_text(row, 4);
  system.ipv4_address = address_at(rows, row, 5);
  system.ipv6_address = address_at(rows, row, 6);
  system.version = rows.maybe_text(row, 7);
  system.status = rows.text(row, 8);
  system.organization_id = OrganizationId(rows.text(row, 9));
  system.created_at = rows.time(row, 10);
  system.updated_at = rows.time(row, 11);
  system.registered_at = rows.maybe_time(row, 12);
  system.suspended_at = rows.maybe_time(row, 13);
  system.last_inventory_at = rows.maybe_time(row, 14);
  system.deleted_at = rows.maybe_time(row, 15);
  system.last_heartbeat = rows.maybe_time(row, 16);
  if (rows.is_null(row, kOrganizationAt)) {
    system.organization.type = systems::OrganizationType::owner;
    system.organization.logto_id = system.organization_id;
  } else {
    system.organization = organization_at(rows, row, kOrganizationAt);
  }
  return system;
}

}  // namespace collect::postgres
