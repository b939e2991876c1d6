// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/system_rows.h"

#include "backend/sqlite/organizations.h"

namespace collect::sqlite {

using systems::System;

const std::string& select_systems() {
  static const std::string sql =
      "SELECT s.id, s.system_key, s.name, s.type, s.fqdn, s.ipv4_address, s.ipv6_address, s.version, "
      "s.status,"
      "   s.organization_id, s.created_at, s.updated_at, s.registered_at, s.suspended_at, "
      "s.last_inventory_at,"
      "   s.deleted_at, h.last_heartbeat, s.system_secret_public, s.system_secret_sha256"
      " FROM systems s LEFT JOIN system_heartbeats h ON h.system_id = s.id";
  return sql;
}

System system_of(const Cursor& row) {
  System system;
  system.id = SystemId(row.text(0));
  system.system_key = row.text(1);
  system.name = row.text(2);
  system.type = row.maybe_text(3);
  system.fqdn = row.maybe_text(4);
  system.ipv4_address = row.maybe_text(5);
  system.ipv6_address = row.maybe_text(6);
  system.version = row.maybe_text(7);
  system.status = row.text(8);
  system.organization_id = OrganizationId(row.text(9));
  system.created_at = row.time(10);
  system.updated_at = row.time(11);
  system.registered_at = row.maybe_time(12);
  system.suspended_at = row.maybe_time(13);
  system.last_inventory_at = row.maybe_time(14);
  system.deleted_at = row.maybe_time(15);
  system.last_heartbeat = row.maybe_time(16);
  return system;
}

std::optional<System> find_system(Snapshot& snapshot, const SystemId& id) {
  static const std::string by_id = select_systems() + " WHERE s.id = ?";
  auto row = snapshot.query(by_id, id);
  if (!row.next()) return std::nullopt;
  auto system = system_of(row);
  system.organization = organization_or_owner(snapshot, system.organization_id);
  return system;
}

}  // namespace collect::sqlite
