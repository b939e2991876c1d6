// SPDX-License-Identifier: Apache-2.0
#include "app/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/version.h"
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
