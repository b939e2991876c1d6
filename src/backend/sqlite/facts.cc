// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/facts.h"

#include "backend/sqlite/organizations.h"
#include "base/json.h"

namespace collect::sqlite {
namespace {

void write_facts(Transaction& transaction, const SystemId& system_id, const inventory::SystemFacts& facts,
                 Time now) {
  transaction.run(
      "UPDATE systems SET name = CASE WHEN coalesce(name, '') = '' THEN coalesce(?2, name) ELSE name END,"
      "   fqdn = coalesce(?3, fqdn), version = coalesce(?4, version), type = coalesce(?5, type),"
      "   ipv4_address = coalesce(?6, ipv4_address), ipv6_address = coalesce(?7, ipv6_address),"
      "   updated_at = ?8"
      " WHERE id = ?1 AND ((coalesce(name, '') = '' AND coalesce(?2, '') <> '')"
      "   OR fqdn IS NOT coalesce(?3, fqdn) OR version IS NOT coalesce(?4, version)"
      "   OR type IS NOT coalesce(?5, type) OR ipv4_address IS NOT coalesce(?6, ipv4_address)"
      "   OR ipv6_address IS NOT coalesce(?7, ipv6_address))",
      system_id, facts.name, facts.fqdn, facts.version, facts.type, facts.ipv4_address, facts.ipv6_address,
      now);
}

void write_application(Transaction& transaction, const inventory::ApplicationSync& sync,
                       const inventory::Application& application, const systems::Organization& owner) {
  transaction.run(
      "INSERT INTO applications(id, system_id, module_id, instance_of, name, source, display_name, node_id,"
      "   node_label, version, organization_id, organization_type, inventory_data, url, is_user_facing,"
      "   created_at, updated_at, first_seen_at, last_inventory_at)"
      " VALUES (?1 || '-' || ?2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, ?15, "
      "?15)"
      " ON CONFLICT (id) DO UPDATE SET instance_of = excluded.instance_of, name = excluded.name,"
      "   source = excluded.source, display_name = excluded.display_name, node_id = excluded.node_id,"
      "   node_label = excluded.node_label, version = excluded.version,"
      "   inventory_data = excluded.inventory_data, url = excluded.url,"
      "   is_user_facing = excluded.is_user_facing, updated_at = excluded.updated_at,"
      "   last_inventory_at = excluded.last_inventory_at, deleted_at = NULL"
      " WHERE (applications.instance_of, applications.name, applications.source, applications.display_name,"
      "   applications.node_id, applications.node_label, applications.version, applications.inventory_data,"
      "   applications.url, applications.is_user_facing, applications.deleted_at)"
      "  IS NOT (excluded.instance_of, excluded.name, excluded.source, excluded.display_name,"
      "   excluded.node_id, excluded.node_label, excluded.version, excluded.inventory_data, excluded.url,"
      "   excluded.is_user_facing, NULL)",
      sync.system_id, application.module_id, application.instance_of, application.name, application.source,
      application.display_name, application.node_id, application.node_label, application.version,
      owner.logto_id, systems::to_string(owner.type), application.inventory_data, application.url,
      application.is_user_facing, sync.at);
}

void remove_vanished(Transaction& transaction, const inventory::ApplicationSync& sync) {
  json::Writer present;
  present.begin_array();
  for (const auto& application : sync.applications) present.value(application.module_id);
  for (const auto& module_id : sync.unchanged) present.value(module_id);
  present.end_array();
  transaction.run(
      "UPDATE applications SET deleted_at = ?2, updated_at = ?2 WHERE system_id = ?1 AND deleted_at IS NULL"
      " AND module_id NOT IN (SELECT value FROM json_each(?3))",
      sync.system_id, sync.at, present.text());
}

}  // namespace

void update_system(Transaction& transaction, const inventory::SystemUpdate& update, Time now) {
  transaction.run(
      "UPDATE systems SET last_inventory_at = ?2 WHERE id = ?1 AND coalesce(last_inventory_at, '') < ?2",
      update.system_id, update.last_inventory_at);
  if (update.facts) write_facts(transaction, update.system_id, *update.facts, now);
}

void sync_applications(Transaction& transaction, const inventory::ApplicationSync& sync) {
  if (!sync.applications.empty()) {
    const auto organization_id = [&] {
      auto row = transaction.query("SELECT organization_id FROM systems WHERE id = ?", sync.system_id);
      return OrganizationId(row.next() ? row.text(0) : "");
    }();
    const auto owner = organization_or_owner(transaction, organization_id);
    for (const auto& application : sync.applications)
      write_application(transaction, sync, application, owner);
  }
  if (!sync.none_vanished) remove_vanished(transaction, sync);
}

}  // namespace collect::sqlite
