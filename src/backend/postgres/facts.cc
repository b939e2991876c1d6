// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/facts.h"

#include <fmt/format.h>

#include <set>

#include "backend/postgres/organizations.h"

namespace collect::postgres {
namespace {

using inventory::Application;
using inventory::ApplicationSync;
using inventory::SystemUpdate;

// One statement writes a system once. Whatever comes again goes into another statement after it.
template <class Item, class Write>
void in_rounds(std::span<const Item> items, Write write) {
  std::vector<const Item*> left;
  for (const auto& item : items) left.push_back(&item);
  while (!left.empty()) {
    std::set<SystemId> seen;
    std::vector<const Item*> round;
    std::vector<const Item*> later;
    for (const auto* item : left) (seen.insert(item->system_id).second ? round : later).push_back(item);
    write(round);
    left = std::move(later);
  }
}

// The columns' new values are worked out once (n), so that "did one of them change" cannot drift from what is
// written.
constexpr std::string_view kUpdateSystems = R"(
UPDATE systems AS s SET name = n.name, fqdn = n.fqdn, version = n.version, type = n.type,
  ipv4_address = n.ipv4_address, ipv6_address = n.ipv6_address,
  last_inventory_at = greatest(s.last_inventory_at, n.at),
  updated_at = CASE WHEN (n.name, n.fqdn, n.version, n.type, n.ipv4_address, n.ipv6_address) IS DISTINCT FROM
      (s.name, s.fqdn, s.version, s.type, s.ipv4_address, s.ipv6_address) THEN $9 ELSE s.updated_at END
FROM (
  SELECT o.id, u.at,
    CASE WHEN coalesce(o.name, '') = '' THEN coalesce(u.name, o.name) ELSE o.name END AS name,
    coalesce(u.fqdn, o.fqdn) AS fqdn, coalesce(u.version, o.version) AS version, coalesce(u.type, o.type) AS type,
    coalesce(u.ipv4::inet, o.ipv4_address) AS ipv4_address, coalesce(u.ipv6::inet, o.ipv6_address) AS ipv6_address
  FROM unnest($1::{0}[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS u(id, at, name, fqdn, version, type, ipv4, ipv6)
  JOIN systems o ON o.id = u.id
) AS n WHERE s.id = n.id)";

// New ones, changed ones and returning ones; a row that would not change is not even locked. OFFSET 0 keeps
// the planner from reading the JSON once for each use; only new ones need the organization.
constexpr std::string_view kUpsertApplications = R"(
INSERT INTO applications AS a (id, system_id, module_id, instance_of, name, source, display_name, node_id,
  node_label, version, organization_id, organization_type, status, inventory_data, url, is_user_facing,
  created_at, updated_at, first_seen_at, last_inventory_at)
SELECT u.id, u.system_id::{1}, u.module_id, u.instance_of, u.name, u.source,
  u.display_name, u.node_id, u.node_label, u.version, w.organization_id::{2}, w.organization_type,
  'unassigned', u.data, u.url, u.facing, u.at, u.at, u.at, u.at
FROM (
  SELECT r.system_id::text || '-' || r.module_id AS id, r.system_id, r.module_id, r.instance_of, r.name, r.source,
    r.display_name, r.node_id::integer AS node_id, r.node_label, r.version, r.url, r.data::jsonb AS data, r.facing, r.at
  FROM unnest($1::{0}[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::boolean[], $13::timestamptz[])
    AS r(system_id, module_id, instance_of, name, source, display_name, node_id, node_label, version, url, data,
         facing, at)
  OFFSET 0
) AS u
LEFT JOIN applications AS k ON k.id::text = u.id
LEFT JOIN LATERAL (
  SELECT coalesce(o.logto_id, s.organization_id::text) AS organization_id,
    coalesce(o.type, 'owner') AS organization_type
  FROM systems s LEFT JOIN LATERAL ({3}) AS o ON true WHERE s.id = u.system_id AND k.id IS NULL
) AS w ON true
WHERE CASE WHEN k.id IS NULL THEN w.organization_type IS NOT NULL ELSE k.deleted_at IS NOT NULL
  OR (k.instance_of, k.name, k.source, k.display_name, k.node_id, k.node_label, k.version, k.inventory_data, k.url,
      k.is_user_facing) IS DISTINCT FROM
     (u.instance_of, u.name, u.source, u.display_name, u.node_id, u.node_label, u.version, u.data, u.url, u.facing)
  END
ON CONFLICT (id) DO UPDATE SET instance_of = EXCLUDED.instance_of, name = EXCLUDED.name,
  source = EXCLUDED.source, display_name = EXCLUDED.display_name, node_id = EXCLUDED.node_id,
  node_label = EXCLUDED.node_label, version = EXCLUDED.version, inventory_data = EXCLUDED.inventory_data,
  url = EXCLUDED.url, is_user_facing = EXCLUDED.is_user_facing, updated_at = EXCLUDED.updated_at,
  last_inventory_at = EXCLUDED.last_inventory_at, deleted_at = NULL)";

constexpr std::string_view kRemoveVanished = R"(
UPDATE applications AS a SET deleted_at = g.at, updated_at = g.at
FROM unnest($1::{0}[], $2::timestamptz[]) AS g(system_id, at)
WHERE a.system_id = g.system_id AND a.deleted_at IS NULL AND a.id::text <> ALL($3::text[]))";

struct Row {  // one application with its system
  const ApplicationSync* sync;
  const Application* application;
};

std::vector<Row> rows_of(const std::vector<const ApplicationSync*>& syncs) {
  std::vector<Row> rows;
  for (const auto* sync : syncs) {
    std::set<std::string_view> seen;
    // Two modules of one id are one row: the last one stands, as with writing one after the other.
    for (auto it = sync->applications.rbegin(); it != sync->applications.rend(); ++it) {
      if (seen.insert(it->module_id).second) rows.push_back({sync, &*it});
    }
  }
  return rows;
}

Params application_params(const std::vector<Row>& rows) {
  const auto text = [&](auto member) {
    return [member](const Row& row) { return std::string_view(row.application->*member); };
  };
  const auto maybe = [&](auto member) {
    return [member](const Row& row) { return row.application->*member; };
  };
  Params params;
  params.array(rows, [](const Row& row) { return row.sync->system_id; })
      .array(rows, text(&Application::module_id))
      .array(rows, text(&Application::instance_of))
      .array(rows, text(&Application::name))
      .array(rows, text(&Application::source))
      .array(rows, maybe(&Application::display_name))
      .array(rows, maybe(&Application::node_id))
      .array(rows, maybe(&Application::node_label))
      .array(rows, text(&Application::version))
      .array(rows, maybe(&Application::url))
      .array(rows, text(&Application::inventory_data))
      .array(rows, [](const Row& row) { return row.application->is_user_facing; })
      .array(rows, [](const Row& row) { return row.sync->at; });
  return params;
}

}  // namespace

void add_system_lock(Transaction& transaction, const Schema& schema, const std::vector<std::string>& ids) {
  transaction.add(fmt::format("SELECT id FROM systems WHERE id = ANY($1::{}[]) ORDER BY id FOR NO KEY UPDATE",
                              schema.type("systems.id")),
                  Params().texts(ids));
}

void add_system_updates(Transaction& transaction, const Schema& schema, std::span<const SystemUpdate> updates,
                        Time now) {
  in_rounds(updates, [&](const std::vector<const SystemUpdate*>& round) {
    const auto fact = [](auto member) {
      return [member](const SystemUpdate* update) {
        return update->facts ? (*update->facts).*member : std::optional<std::string>();
      };
    };
    using Facts = inventory::SystemFacts;
    Params params;
    params.array(round, [](const SystemUpdate* update) { return update->system_id; })
        .array(round, [](const SystemUpdate* update) { return update->last_inventory_at; })
        .array(round, fact(&Facts::name))
        .array(round, fact(&Facts::fqdn))
        .array(round, fact(&Facts::version))
        .array(round, fact(&Facts::type))
        .array(round, fact(&Facts::ipv4_address))
        .array(round, fact(&Facts::ipv6_address))
        .add(now);
    transaction.add(fmt::format(kUpdateSystems, schema.type("systems.id")), std::move(params));
  });
}

void add_application_syncs(Transaction& transaction, const Schema& schema,
                           std::span<const ApplicationSync> syncs) {
  const auto system_type = schema.type("systems.id");
  in_rounds(syncs, [&](const std::vector<const ApplicationSync*>& round) {
    const auto rows = rows_of(round);
    if (!rows.empty()) {
      transaction.add(
          fmt::format(kUpsertApplications, system_type, schema.type("applications.system_id"),
                      schema.type("applications.organization_id"), organization_of_system(schema)),
          application_params(rows));
    }
    std::vector<const ApplicationSync*> to_look_through;
    for (const auto* sync : round) {
      if (!sync->none_vanished) to_look_through.push_back(sync);
    }
    if (to_look_through.empty()) return;
    std::vector<std::string> present;
    for (const auto* sync : to_look_through) {
      const auto id_of = [&](const std::string& module_id) {
        return sync->system_id.text() + "-" + module_id;
      };
      for (const auto& application : sync->applications) present.push_back(id_of(application.module_id));
      for (const auto& module_id : sync->unchanged) present.push_back(id_of(module_id));
    }
    Params params;
    params.array(to_look_through, [](const ApplicationSync* sync) { return sync->system_id; })
        .array(to_look_through, [](const ApplicationSync* sync) { return sync->at; })
        .texts(present);
    transaction.add(fmt::format(kRemoveVanished, schema.type("applications.system_id")), std::move(params));
  });
}

}  // namespace collect::postgres
