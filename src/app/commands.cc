// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/version.h"
#include "base/clock.h"
#include "base/json.h"

namespace collect::app {
Exit exit_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::invalid:
      return Exit::usage;
    case FailureKind::not_found:
      return Exit::not_found;
    case FailureKind::conflict:
      return Exit::conflict;
    case FailureKind::unavailable:
      return Exit::unavailable;
    case FailureKind::internal:
      return Exit::internal;
  }
  return Exit::internal;
}

Exit fail(const Failure& failure) {
  fmt::print(stderr, "collect: {}\n", failure.message);
  return exit_of(failure.kind);
}

Result<Settings> settings_of_process() {
  auto loaded = load_settings(process_environment);
  if (!loaded) return loaded.failure();
  log::configure(loaded->settings.log_level, loaded->settings.log_format);
  return std::move(loaded->settings);
}

Result<Opened> open_stores(backend::Use use) {
  auto settings = settings_of_process();
  if (!settings) return settings.failure();
  auto clock = std::make_unique<SystemClock>();
  // The embedded engine is its own administrator; a shared database is migrated on purpose.
  if (settings->embedded()) {
    if (auto migrated = backend::migrate(*settings, clock->now()); !migrated) return migrated.failure();
  }
  auto engine = backend::open(*settings, use, *clock);
  if (!engine) return engine.failure();
  return Opened{std::move(*settings), std::move(clock), std::move(*engine)};
}

Result<Time> since_of(const std::string& text, Time now) {
  if (const auto time = parse_rfc3339(text)) return *time;
  const auto span = parse_duration(text);
  if (!span)
    return invalid(
        fmt::format("--since: {}, or a time such as 2026-01-02T03:04:05Z", span.failure().message));
  return now - *span;
}

Result<OrganizationId> organization_named(const backend::Stores& stores, const std::string& id_or_name) {
  const auto organizations = stores.systems.list_organizations();
  if (!organizations) return organizations.failure();
  if (const auto* known = systems::organization_with_id(*organizations, id_or_name)) return known->logto_id;
  for (const systems::Organization& each : *organizations) {
    if (each.name == id_or_name) return each.logto_id;
  }
  // The owner's organization stands in none of the tables.
  systems::SystemFilter filter;
  filter.organization_id = OrganizationId(id_or_name);
  const auto members = stores.systems.list(filter);
  if (!members) return members.failure();
  if (members->empty()) return not_found(fmt::format("there is no organization {}", id_or_name));
  return OrganizationId(id_or_name);
}

Exit say_version(bool as_json) {
  if (as_json) {
    json::Writer writer;
    writer.begin_object()
        .member("version", kVersion)
        .member("commit", kCommit)
        .member("build_time", kBuildTime);
    writer.end_object();
    fmt::print("{}\n", writer.text());
  } else {
    fmt::print("collect {} ({}, built {})\n", kVersion, kCommit, kBuildTime);
  }
  return Exit::ok;
}

}  // namespace collect::app
