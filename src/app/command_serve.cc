// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "app/collect.h"
#include "app/commands.h"
#include "app/service_manager.h"
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

Role role_named(const std::string& name) {
  if (name == "api") return Role::api;
  return name == "worker" ? Role::worker : Role::all;
}

}  // namespace

Exit serve(const std::string& role) {
  auto settings = settings_of_process();
  if (!settings) return fail(settings.failure());
  auto config = load_service_config(*settings);
  if (!config) return fail(config.failure());

  // Blocked before the first thread starts, so that every thread inherits it and this one waits for them.
  const sigset_t signals = service_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto collect = Collect::start(*settings, std::move(*config), role_named(role));
  if (!collect) return fail(collect.failure());
  fmt::print("{}", (*collect)->banner());
  std::fflush(stdout);
  tell_ready();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      (*collect)->reload();
      continue;
    }
    log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
    // The door and the workers have that long, one after the other; what they held is then given back.
    tell_stopping(std::chrono::ceil<std::chrono::seconds>(2 * settings->worker_shutdown_timeout) +
                  std::chrono::seconds(30));
    return (*collect)->stop() ? Exit::ok : Exit::internal;
  }
}

}  // namespace collect::app
