// SPDX-License-Identifier: Apache-2.0
// The command line. Each command sets itself up on the parser and is run when it was named.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "backend/engine.h"
#include "base/result.h"
#include "base/settings.h"

namespace collect::app {

// What scripts can tell apart.
enum class Exit : int { ok = 0, internal = 1, usage = 2, not_found = 3, conflict = 4, unavailable = 5 };
Exit exit_of(FailureKind kind);

// Says the failure on standard error and gives its exit code.
Exit fail(const Failure& failure);

// Runs a whole command line; the process's exit code.
int run(int argc, char** argv);

// Set by the command that was named; run once the whole line is understood.
using Action = std::function<Exit()>;

void add_serve(CLI::App& parent, Action& action);
void add_migrate(CLI::App& parent, Action& action);
void add_organizations(CLI::App& parent, Action& action);
void add_systems(CLI::App& parent, Action& action);
void add_inventory(CLI::App& parent, Action& action);
void add_diff(CLI::App& parent, Action& action);
void add_config(CLI::App& parent, Action& action);
void add_demo(CLI::App& parent, Action& action);
void add_load(CLI::App& parent, Action& action);

// The settings of this process, with logging set up by them. Problems are said on standard error.
Result<Settings> settings_of_process();

// A database that commands look into beside a running service.
struct Opened {
  Settings settings;
  std::unique_ptr<SystemClock> clock;
  std::unique_ptr<backend::Engine> engine;
};
Result<Opened> open_stores();

}  // namespace collect::app
