// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/commands.h"
#include "app/terminal.h"
#include "systems/system_registry.h"

namespace collect::app {
namespace {

using systems::SystemRegistry;

// Opens the registry of the configured engine and runs `use` on it. `where` names the engine.
using Use = std::function<Exit(SystemRegistry&, Time now, const std::string& where)>;
Exit with_registry(const Use& use) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  backend::Engine& engine = *opened->engine;
  SystemRegistry registry(engine.stores().systems,
                          static_cast<std::size_t>(opened->settings.system_secret_min_length),
                          [&engine](std::string_view system_key) { return engine.announce(system_key); });
  return use(registry, opened->clock->now(), engine.facts().name);
}

std::string seconds(const std::optional<Time>& time) {
  return time ? to_rfc3339(*time).substr(0, 19) + "Z" : "never";
}

void print_issued(const systems::IssuedSystem& issued, std::string_view headline, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", systems::issued_system_json(issued));
    return;
  }
  fmt::print(
      "{}\n  id             {}\n  name           {}\n  system_key     {}\n  system_secret  {}\n\n"
      "The secret is shown this once; it cannot be had again.\n",
      headline, issued.id.text(), issued.name, issued.system_key, issued.system_secret);
}

using Change = Result<systems::Changed> (SystemRegistry::*)(std::string_view, Time);

Exit change_system(const SystemArguments& arguments, Change change, std::string_view done) {
  return with_registry([&](SystemRegistry& registry, Time now, const std::string&) {
    const auto changed = (registry.*change)(arguments.key, now);
    if (!changed) return fail(changed.failure());
    if (arguments.json) {
      fmt::print("{}\n", systems::system_json(changed->system));
    } else {
      fmt::print("{} is {}.\n", changed->system.system_key, done);
    }
    if (changed->not_announced) {
      fmt::print(stderr,
                 "collect: running services were not told ({}); they follow within SYSTEM_AUTH_CACHE_TTL\n",
                 changed->not_announced->message);
    }
    return Exit::ok;
  });
}

}  // namespace

Exit create_organization(const OrganizationArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time now, const std::string& where) {
    systems::OrganizationOrder order;
    order.name = arguments.name;
    order.type =
        systems::parse_organization_type(arguments.type).value_or(systems::OrganizationType::customer);
    if (!arguments.vat.empty()) order.vat = arguments.vat;
    if (!arguments.managed_by.empty()) order.managed_by = arguments.managed_by;
    const auto created = registry.create_organization(order, now);
    if (!created) return fail(created.failure());
    if (arguments.json) {
      fmt::print("{}\n", systems::organization_json(*created));
    } else {
      fmt::print(
          "Organization created in {}.\n  id    {}\n  name  {}\n  type  {}\n\nNext: collect system create "
          "--org {} --name …\n",
          where, created->logto_id.text(), created->name, systems::to_string(created->type),
          created->logto_id.text());
    }
    return Exit::ok;
  });
}

Exit list_organizations(const OrganizationArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time, const std::string&) {
    const auto organizations = registry.organizations();
    if (!organizations) return fail(organizations.failure());
    if (arguments.json) {
      fmt::print("{}\n", systems::organizations_json(*organizations));
      return Exit::ok;
    }
    Table table({"id", "name", "type", "state"});
    for (const auto& organization : *organizations) {
      const char* state = organization.deleted_at     ? "deleted"
                          : organization.suspended_at ? "suspended"
                                                      : "active";
      table.add({{organization.logto_id.text()},
                 {organization.name},
                 {std::string(systems::to_string(organization.type))},
                 {state}});
    }
    fmt::print("{}", table.text());
    return Exit::ok;
  });
}

Exit create_system(const SystemArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time now, const std::string& where) {
    const auto issued = registry.create(
        {OrganizationId(arguments.organization), arguments.name, !arguments.unregistered}, now);
    if (!issued) return fail(issued.failure());
    print_issued(*issued, fmt::format("System created in {}.", where), arguments.json);
    return Exit::ok;
  });
}

Exit list_systems(const SystemArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time, const std::string&) {
    systems::SystemFilter filter;
    if (!arguments.organization.empty()) filter.organization_id = OrganizationId(arguments.organization);
    filter.include_deleted = arguments.deleted;
    const auto systems = registry.list(filter);
    if (!systems) return fail(systems.failure());
    if (arguments.json) {
      fmt::print("{}\n", systems::systems_json(*systems));
      return Exit::ok;
    }
    Table table({"system_key", "name", "type", "version", "status", "last inventory", "organization"});
    for (const auto& system : *systems) {
      table.add({{system.system_key},
                 {system.name},
                 {system.type.value_or("")},
                 {system.version.value_or("")},
                 {system.suspended_at ? "suspended" : system.status},
                 {seconds(system.last_inventory_at)},
                 {system.organization.name}});
    }
    fmt::print("{}", table.text());
    return Exit::ok;
  });
}

Exit show_system(const SystemArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time, const std::string&) {
    const auto system = registry.show(arguments.key);
    if (!system) return fail(system.failure());
    if (arguments.json) {
      fmt::print("{}\n", systems::system_json(*system));
      return Exit::ok;
    }
    Table table({});
    const auto row = [&](const char* name, const std::string& value) {
      table.add({{name, Colour::dim}, {value}});
    };
    row("system_key", system->system_key);
    row("id", system->id.text());
    row("name", system->name);
    row("type", system->type.value_or("not known yet"));
    row("version", system->version.value_or("not known yet"));
    row("fqdn", system->fqdn.value_or("not known yet"));
    row("status", system->status);
    row("organization", system->organization.name + "  " + system->organization_id.text());
    row("registered", seconds(system->registered_at));
    row("suspended", seconds(system->suspended_at));
    row("last inventory", seconds(system->last_inventory_at));
    row("last heartbeat", seconds(system->last_heartbeat));
    if (system->deleted_at) row("deleted", seconds(system->deleted_at));
    fmt::print("{}", table.text());
    return Exit::ok;
  });
}

Exit rotate_secret(const SystemArguments& arguments) {
  return with_registry([&](SystemRegistry& registry, Time now, const std::string&) {
    const auto rotated = registry.rotate_secret(arguments.key, now);
    if (!rotated) return fail(rotated.failure());
    print_issued(rotated->issued, "The old secret is refused from now on.", arguments.json);
    return Exit::ok;
  });
}

Exit suspend_system(const SystemArguments& arguments) {
  return change_system(arguments, &SystemRegistry::suspend, "suspended");
}

Exit reactivate_system(const SystemArguments& arguments) {
  return change_system(arguments, &SystemRegistry::reactivate, "active again");
}

Exit delete_system(const SystemArguments& arguments) {
  return change_system(arguments, &SystemRegistry::remove, "deleted");
}

}  // namespace collect::app
