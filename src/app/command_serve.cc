// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/collect.h"
#include "app/commands.h"
#include "base/log.h"

namespace collect::app {
namespace {

sigset_t service_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

Exit serve(Role role) {
  auto settings = settings_of_process();
  if (!settings) return fail(settings.failure());
  auto config = load_config(*settings);
  if (!config) return fail(config.failure());

  // Blocked before the first thread starts, so that every thread inherits it and this one waits for them.
  const sigset_t signals = service_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto collect = Collect::start(*settings, std::move(*config), role);
  if (!collect) return fail(collect.failure());
  fmt::print("{}", (*collect)->banner());
  std::fflush(stdout);
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      (*collect)->reload();
      continue;
    }
    log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
    return (*collect)->stop() ? Exit::ok : Exit::internal;
  }
}

}  // namespace

void add_serve(CLI::App& parent, Action& action) {
  auto* command = parent.add_subcommand("serve", "Run the service");
  auto role = std::make_shared<std::string>("all");
  command->add_option("--role", *role, "What this process does; several may share PostgreSQL and Redis")
      ->check(CLI::IsMember({"all", "api", "worker"}))
      ->capture_default_str();
  command->callback([&action, role] {
    action = [role] {
      return serve(*role == "api" ? Role::api : *role == "worker" ? Role::worker : Role::all);
    };
  });
}

void add_migrate(CLI::App& parent, Action& action) {
  auto* command =
      parent.add_subcommand("migrate", "Bring the database's tables up to date; repeating it is harmless");
  command->callback([&action] {
    action = [] {
      const auto settings = settings_of_process();
      if (!settings) return fail(settings.failure());
      const auto applied = backend::migrate(*settings, SystemClock().now());
      if (!applied) return fail(applied.failure());
      for (const std::string& name : *applied) fmt::print("applied {}\n", name);
      if (applied->empty()) fmt::print("the tables are up to date\n");
      return Exit::ok;
    };
  });
}

}  // namespace collect::app
