// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "systems/system_registry.h"

namespace collect::systems {
namespace {

std::optional<std::string> text_of(const std::optional<Time>& time) {
  return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
}

template <class T>
std::string list_json(std::span<const T> items, void (*write)(json::Writer&, const T&)) {
  json::Writer w;
  w.begin_array();
  for (const T& item : items) write(w, item);
  w.end_array();
  return std::move(w).text();
}

void write_organization(json::Writer& w, const Organization& organization) {
  w.begin_object();
  w.member("id", organization.row_id).member("logto_id", organization.logto_id.text());
  w.member("name", organization.name).member("type", to_string(organization.type));
  w.member("vat", organization.vat).member("managed_by", organization.managed_by);
  w.member("suspended_at", text_of(organization.suspended_at))
      .member("deleted_at", text_of(organization.deleted_at));
  w.end_object();
}

void write_system(json::Writer& w, const System& system) {
  w.begin_object();
  w.member("id", system.id.text()).member("system_key", system.system_key);
  w.member("name", system.name.empty() ? std::nullopt : std::optional(system.name))
      .member("type", system.type);
  w.member("fqdn", system.fqdn).member("ipv4_address", system.ipv4_address);
  w.member("ipv6_address", system.ipv6_address).member("version", system.version);
  w.member("status", system.status).member("organization_id", system.organization_id.text());
  w.member("organization_name", system.organization.name);
  w.member("organization_type", to_string(system.organization.type));
  w.member("created_at", to_rfc3339(system.created_at)).member("updated_at", to_rfc3339(system.updated_at));
  w.member("registered_at", text_of(system.registered_at))
      .member("suspended_at", text_of(system.suspended_at));
  w.member("last_inventory_at", text_of(system.last_inventory_at));
  w.member("last_heartbeat", text_of(system.last_heartbeat)).member("deleted_at", text_of(system.deleted_at));
  w.end_object();
}

}  // namespace

std::string organization_json(const Organization& organization) {
  json::Writer w;
  w.begin_object().member("id", organization.row_id).member("name", organization.name);
  w.member("type", to_string(organization.type)).end_object();
  return std::move(w).text();
}

std::string organizations_json(std::span<const Organization> organizations) {
  return list_json(organizations, &write_organization);
}

std::string issued_system_json(const IssuedSystem& issued) {
  json::Writer w;
  w.begin_object().member("id", issued.id.text()).member("system_key", issued.system_key);
  w.member("system_secret", issued.system_secret).member("organization_id", issued.organization_id.text());
  w.member("name", issued.name).end_object();
  return std::move(w).text();
}

std::string system_json(const System& system) {
  json::Writer w;
  write_system(w, system);
  return std::move(w).text();
}

std::string systems_json(std::span<const System> systems) {
  return list_json(systems, &write_system);
}

}  // namespace collect::systems
