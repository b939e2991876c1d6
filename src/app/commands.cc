// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/version.h"
#include "base/json.h"

namespace collect::app {
namespace {

void add_version(CLI::App& parent, Action& action) {
  auto* command = parent.add_subcommand("version", "Say what this is");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "For programs");
  command->callback([&action, as_json] {
    action = [as_json] {
      if (*as_json) {
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
    };
  });
}

}  // namespace

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

Result<Opened> open_stores() {
  auto settings = settings_of_process();
  if (!settings) return settings.failure();
  auto clock = std::make_unique<SystemClock>();
  // The embedded engine is its own administrator; a shared database is migrated on purpose.
  if (settings->embedded()) {
    if (auto migrated = backend::migrate(*settings, clock->now()); !migrated) return migrated.failure();
  }
  auto engine = backend::open(*settings, backend::Use::stores, *clock);
  if (!engine) return engine.failure();
  return Opened{std::move(*settings), std::move(clock), std::move(*engine)};
}

int run(int argc, char** argv) {
  CLI::App app("Collect: what a fleet of appliances reports to.", "collect");
  app.require_subcommand(1);
  app.footer(
      "Settings come from the environment or a .env file: collect config explain.\n"
      "Exit codes: 0 done, 1 internal error, 2 wrong usage or input, 3 not found, 4 conflict, 5 "
      "unavailable.");
  Action action;
  add_serve(app, action);
  add_migrate(app, action);
  add_organizations(app, action);
  add_systems(app, action);
  add_inventory(app, action);
  add_diff(app, action);
  add_config(app, action);
  add_demo(app, action);
  add_load(app, action);
  add_version(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return static_cast<int>(action ? action() : Exit::usage);
}

}  // namespace collect::app
