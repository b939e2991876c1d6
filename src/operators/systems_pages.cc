// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "alerts/alert_json.h"
#include "operators/answer.h"
#include "operators/cursor.h"
#include "operators/operators_api.h"
#include "systems/system_registry.h"

namespace collect::operators {
namespace {

constexpr std::string_view kSystemColumns[] = {"id",
                                               "system_key",
                                               "name",
                                               "type",
                                               "fqdn",
                                               "ipv4_address",
                                               "ipv6_address",
                                               "version",
                                               "status",
                                               "organization_id",
                                               "organization_name",
                                               "organization_type",
                                               "created_at",
                                               "updated_at",
                                               "registered_at",
                                               "suspended_at",
                                               "last_inventory_at",
                                               "last_heartbeat",
                                               "deleted_at"};
constexpr std::string_view kAlertColumns[] = {
    "id",      "system_id", "system_key",  "system_name", "diff_id",    "rule",       "alert_type",
    "message", "severity",  "is_resolved", "resolved_at", "created_at", "updated_at", "field_path"};

Result<std::optional<alerts::AlertId>> alert_cursor(const From& from) {
  if (!from.cursor) return std::optional<alerts::AlertId>();
  const auto id = read_cursor(*from.cursor);
  if (!id) return id.failure();
  return std::optional(alerts::AlertId{*id});
}

}  // namespace

Result<systems::System> OperatorsApi::system_of(const Ask& ask) {
  const std::string& key_or_id = ask.head.params.at(0);
  auto login = sources_.systems.find(key_or_id);
  if (!login) return login.failure();
  if (!*login) return not_found(fmt::format("there is no system \"{}\"", net::shown(key_or_id)));
  return std::move((*login)->system);
}

Result<Listing> OperatorsApi::list_systems(Ask& ask) {
  systems::SystemFilter filter;
  if (auto id = ask.parameters.text("organization_id")) filter.organization_id = OrganizationId(*id);
  filter.status = ask.parameters.word("status", {"unknown", "active", "inactive", "deleted"});
  filter.type = ask.parameters.text("type");
  filter.search = ask.parameters.text("search");
  filter.include_deleted =
      ask.parameters.flag("include_deleted").value_or(false) || filter.status == "deleted";
  const auto read = [this, filter](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    systems::SystemFilter page = filter;
    if (from.cursor) page.after = SystemId(*from.cursor);
    page.skip = from.skip;
    page.limit = limit;
    const auto systems = sources_.systems.list(page);
    if (!systems) return systems.failure();
    std::vector<Item> items;
    for (const auto& system : *systems) items.push_back({systems::system_json(system), system.id.text()});
    return items;
  };
  return Listing{"systems", "systems", kSystemColumns, read,
                 [this, filter] { return sources_.systems.count(filter); }};
}

Result<net::Response> OperatorsApi::show_system(Ask& ask) {
  const auto system = system_of(ask);
  if (!system) return system.failure();
  if (auto done = ask.parameters.done(); !done) return done.failure();
  return found(ask.head, "system", systems::system_json(*system));
}

Result<Listing> OperatorsApi::list_alerts(Ask& ask) {
  alerts::AlertFilter filter;
  if (const auto key_or_id = ask.parameters.text("system")) {
    const auto login = sources_.systems.find(*key_or_id);
    if (!login) return login.failure();
    if (!*login) return not_found(fmt::format("there is no system \"{}\"", net::shown(*key_or_id)));
    filter.system_id = (*login)->system.id;
  }
  if (auto id = ask.parameters.text("organization_id")) filter.organization_id = OrganizationId(*id);
  filter.alert_type = ask.parameters.text("alert_type");
  if (const auto word = ask.parameters.word("min_severity", {"low", "medium", "high", "critical"})) {
    filter.least_severity = diff::parse_severity(*word);
  }
  filter.resolved = ask.parameters.flag("resolved");
  filter.since = ask.parameters.from("from_date");
  const auto read = [this, filter](const From& from, std::size_t limit) -> Result<std::vector<Item>> {
    alerts::AlertFilter page = filter;
    const auto before = alert_cursor(from);
    if (!before) return before.failure();
    page.before = *before;
    page.skip = from.skip;
    page.limit = limit;
    const auto alerts = sources_.alerts.list(page);
    if (!alerts) return alerts.failure();
    std::vector<Item> items;
    for (const auto& listed : *alerts) {
      items.push_back({alerts::alert_json(listed), cursor_of(static_cast<std::int64_t>(listed.alert.id))});
    }
    return items;
  };
  return Listing{"alerts", "alerts from inventories", kAlertColumns, read,
                 [this, filter] { return sources_.alerts.count(filter); }};
}

}  // namespace collect::operators
