// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "app/commands.h"
#include "app/config_file.h"
#include "app/rules_findings.h"
#include "app/rules_trial.h"
#include "base/json.h"

namespace collect::app {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kForPeople = 20;
constexpr std::size_t kForPrograms = 100;

// One line that is written over; only where somebody sees it.
class Progress {
 public:
  explicit Progress(std::size_t systems) : systems_(systems) {}
  ~Progress() {
    if (terminal_) fmt::print(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t system, std::uint64_t records) const {
    if (!terminal_) return;
    fmt::print(stderr, "\r\033[K{} of {} systems, {} records", system, systems_, records);
  }

 private:
  std::size_t systems_;
  bool terminal_ = isatty(STDERR_FILENO) == 1;
};

Result<std::vector<systems::System>> systems_of(const RulesArguments& arguments, backend::Stores& stores) {
  if (arguments.system.empty()) {
    systems::SystemFilter filter;
    if (!arguments.organization.empty()) {
      auto organization = organization_named(stores, arguments.organization);
      if (!organization) return organization.failure();
      filter.organization_id = *std::move(organization);
    }
    return stores.systems.list(filter);
  }
  const auto found = stores.systems.find(arguments.system);
  if (!found) return found.failure();
  if (!*found) return not_found(fmt::format("there is no system {}", arguments.system));
  return std::vector<systems::System>{(*found)->system};
}

// What the rules ask of the time before the window.
Result<TrialPast> read_past(backend::Stores& stores, const Config& config, const SystemId& system_id,
                            Time since) {
  TrialPast past;
  const Duration patterns = config.notifications.pattern_window();
  const Time begin = since - std::max(patterns, config.rules->longest_time_filter());
  inventory::DiffFilter before;
  before.from = begin;
  before.to = since;
  auto diffs = stores.history.diffs(system_id, before, kAll);
  if (!diffs) return diffs.failure();
  past.diffs = std::move(*diffs);
  std::ranges::reverse(past.diffs);
  alerts::AlertFilter filter;
  filter.system_id = system_id;
  filter.since = begin;
  auto listed = stores.alerts.list(filter);
  if (!listed) return listed.failure();
  for (auto& each : *listed) past.alerts.push_back(std::move(each.alert));
  return past;
}

Result<void> try_system(backend::Stores& stores, const Config& config, const systems::System& system,
                        Time since, const TrialListener& listener) {
  std::optional<SystemTrial> trial;
  Result<void> done;
  const auto walked =
      inventory::replay(stores.history, system.id, since, [&](const inventory::ReplayedRecord& replayed) {
        if (!done) return;
        if (!trial) {
          // Only now: a diff that was read as told has its alerts.
          auto past = read_past(stores, config, system.id, since);
          if (!past) {
            done = past.failure();
            return;
          }
          trial.emplace(*config.rules, config.notifications, system, std::move(*past), listener);
        }
        trial->next(replayed);
      });
  if (!walked) return walked;
  if (done && trial) trial->finish();
  return done;
}

Result<void> try_all(backend::Stores& stores, const Config& config,
                     const std::vector<systems::System>& systems, Time since, RulesFindings& findings) {
  const Progress progress(systems.size());
  for (std::size_t i = 0; i < systems.size(); ++i) {
    progress.show(i, findings.records());
    const auto tried = try_system(stores, config, systems[i], since, findings.listen(systems[i]));
    if (!tried) return tried;
  }
  return {};
}

}  // namespace

Exit try_rules(const RulesArguments& arguments) {
  auto opened = open_stores();
  if (!opened) return fail(opened.failure());
  if (!arguments.config.empty()) opened->settings.config_file = arguments.config;
  const auto config = load_config(opened->settings);
  if (!config) return fail(config.failure());
  const auto since = since_of(arguments.since, opened->clock->now());
  if (!since) return fail(since.failure());
  backend::Stores stores = opened->engine->stores();
  const auto systems = systems_of(arguments, stores);
  if (!systems) return fail(systems.failure());

  const std::size_t usual = arguments.json ? kForPrograms : kForPeople;
  RulesFindings findings(arguments.limit == 0 ? usual : arguments.limit);
  const auto tried = try_all(stores, *config, *systems, *since, findings);
  if (!tried) return fail(tried.failure());
  fmt::print("{}", arguments.json ? findings.json(config->origin, *since) + "\n"
                                  : findings.text(config->origin, *since));
  return Exit::ok;
}

}  // namespace collect::app
