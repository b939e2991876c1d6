// SPDX-License-Identifier: Apache-2.0
#include "systems/info_api.h"

#include "base/json.h"
#include "systems/guard.h"

namespace collect::systems {
namespace {

// Nothing is asked for in a body; this much is read and dropped from those who send one.
constexpr std::uint64_t kMaxBody = 64U << 10U;

std::optional<std::string> text_of(const std::optional<Time>& time) {
  return time ? std::optional(to_rfc3339(*time)) : std::nullopt;
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

std::string info_json(const System& system) {
  const Organization& organization = system.organization;
  const std::string& row_id = organization.row_id;
  json::Writer w;
  w.begin_object();
  w.member("system_id", system.id.text()).member("system_key", system.system_key);
  w.member("name", unless_empty(system.name)).member("type", system.type).member("fqdn", system.fqdn);
  w.member("status", system.status);
  w.member("suspended", system.suspended_at.has_value()).member("suspended_at", text_of(system.suspended_at));
  w.member("deleted", system.deleted_at.has_value()).member("deleted_at", text_of(system.deleted_at));
  w.member("registered", system.registered_at.has_value());
  w.member("registered_at", text_of(system.registered_at));
  w.member("created_at", to_rfc3339(system.created_at));
  w.key("organization").begin_object();
  // An owner organization is in no table: it has no row's id, only the one that systems refer to.
  w.member("id", row_id.empty() ? system.organization_id.text() : row_id);
  w.member("logto_id",
           organization.logto_id.empty() ? system.organization_id.text() : organization.logto_id.text());
  w.member("name", unless_empty(organization.name)).member("type", to_string(organization.type));
  w.member("suspended", organization.suspended_at.has_value());
  w.member("suspended_at", text_of(organization.suspended_at));
  w.end_object().end_object();
  return std::move(w).text();
}

net::Endpoint info_endpoint(Authenticator& authenticator, SystemStore& store) {
  const auto handle = [&authenticator, &store](const System& system, const net::Request&) {
    const auto now = as_it_is_now(authenticator, store, system);
    if (const auto* instead = std::get_if<net::Response>(&now)) return *instead;
    return net::envelope(200, "system information", info_json(std::get<System>(now)));
  };
  return for_systems(authenticator, kMaxBody, net::BodyUse::ignore, handle);
}

}  // namespace collect::systems
