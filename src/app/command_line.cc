// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>

#include "app/commands.h"
#include "app/man_page.h"

namespace collect::app {
namespace {

// Set by the command that was named; run once the whole line is understood.
using Action = std::function<Exit()>;

constexpr const char* kForPrograms = "For programs";

// A subcommand that runs `command` with `arguments`.
template <class Arguments>
CLI::App* add(CLI::App& parent, Action& action, const std::string& name, const std::string& text,
              const std::shared_ptr<Arguments>& arguments, Exit (*command)(const Arguments&)) {
  auto* subcommand = parent.add_subcommand(name, text);
  subcommand->callback(
      [&action, arguments, command] { action = [arguments, command] { return command(*arguments); }; });
  return subcommand;
}

void add_service(CLI::App& app, Action& action) {
  auto role = std::make_shared<std::string>("all");
  add(app, action, "serve", "Run the service", role, serve)
      ->add_option("--role", *role, "What this process does; several may share PostgreSQL and Redis")
      ->check(CLI::IsMember({"all", "api", "worker"}))
      ->capture_default_str();
  auto migration = std::make_shared<MigrateArguments>();
  auto* migrating =
      add(app, action, "migrate", "Bring the database's tables up to date; repeating it is harmless",
          migration, migrate);
  migrating->add_option(
      "--from", migration->from,
      "Move everything here from this data directory of an embedded Collect that is stopped");
  migrating->add_flag("--json", migration->json, kForPrograms);
  auto json = std::make_shared<bool>(false);
  auto* version = app.add_subcommand("version", "Say what this is");
  version->add_flag("--json", *json, kForPrograms);
  version->callback([&action, json] { action = [json] { return say_version(*json); }; });
}

void add_organizations(CLI::App& app, Action& action) {
  auto* org = app.add_subcommand("org", "Organizations that systems belong to");
  org->require_subcommand(1);
  auto arguments = std::make_shared<OrganizationArguments>();
  auto* create = add(*org, action, "create", "Create an organization", arguments, create_organization);
  create->add_option("--name", arguments->name, "Its name")->required();
  create->add_option("--type", arguments->type, "Its type")
      ->check(CLI::IsMember({"customer", "reseller", "distributor"}))
      ->capture_default_str();
  create->add_option("--vat", arguments->vat, "VAT number");
  create->add_option("--managed-by", arguments->managed_by, "Id of the organization that manages it");
  create->add_flag("--json", arguments->json, kForPrograms);
  add(*org, action, "list", "List organizations", arguments, list_organizations)
      ->add_flag("--json", arguments->json, kForPrograms);
}

void add_systems(CLI::App& app, Action& action) {
  auto* system = app.add_subcommand("system", "Systems and their credentials");
  system->require_subcommand(1);
  auto arguments = std::make_shared<SystemArguments>();
  auto* create =
      add(*system, action, "create", "Create a system; prints its secret once", arguments, create_system);
  create->add_option("--org", arguments->organization, "Id of its organization")->required();
  create->add_option("--name", arguments->name, "Its name")->required();
  create->add_flag("--unregistered", arguments->unregistered, "It may not log in before it is registered");
  create->add_flag("--json", arguments->json, kForPrograms);
  auto* list = add(*system, action, "list", "List systems", arguments, list_systems);
  list->add_option("--org", arguments->organization, "Only of this organization");
  list->add_flag("--deleted", arguments->deleted, "Deleted ones too");
  list->add_flag("--json", arguments->json, kForPrograms);

  const auto for_key = [&](const std::string& name, const std::string& text,
                           Exit (*command)(const SystemArguments&)) {
    auto* subcommand = add(*system, action, name, text, arguments, command);
    subcommand->add_option("system", arguments->key, "system_key or id")->required();
    subcommand->add_flag("--json", arguments->json, kForPrograms);
  };
  for_key("show", "Show one system", show_system);
  for_key("suspend", "Refuse its log-ins until it is reactivated", suspend_system);
  for_key("reactivate", "Let it log in again", reactivate_system);
  for_key("rotate-secret", "Give it a new secret; prints it once", rotate_secret);
  for_key("delete", "Delete it; its history stays", delete_system);
}

void add_inventory(CLI::App& app, Action& action) {
  auto* inventory = app.add_subcommand("inventory", "What a system reported, and what changed");
  inventory->require_subcommand(1);
  auto arguments = std::make_shared<InventoryArguments>();
  const auto for_key = [&](const std::string& name, const std::string& text,
                           Exit (*command)(const InventoryArguments&)) {
    auto* subcommand = add(*inventory, action, name, text, arguments, command);
    subcommand->add_option("system", arguments->key, "system_key or id")->required();
    subcommand->add_flag("--json", arguments->json, kForPrograms);
    return subcommand;
  };
  for_key("latest", "The latest inventory", show_latest);
  auto* history = for_key("history", "The stored inventories", show_history);
  auto* timeline = for_key("timeline", "What changed, by day", show_timeline);
  auto* diffs = for_key("diffs", "What changed, one by one", show_diffs);
  for (auto* list : {history, timeline, diffs}) {
    list->add_option("--limit", arguments->limit, "How many, newest first")
        ->check(CLI::Range(1, 1'000'000'000))
        ->capture_default_str();
    list->add_flag("--all", arguments->all, "All of them");
  }
  for (auto* list : {timeline, diffs}) {
    list->add_option("--severity", arguments->severity, "Only these")
        ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
    list->add_option("--category", arguments->category, "Only these");
  }
}

void add_alerts(CLI::App& app, Action& action) {
  auto* alerts = app.add_subcommand("alerts", "What the rules made of changes, and who was told");
  alerts->require_subcommand(1);
  auto arguments = std::make_shared<AlertArguments>();
  const auto command = [&](const std::string& name, const std::string& text,
                           Exit (*run)(const AlertArguments&)) {
    auto* subcommand = add(*alerts, action, name, text, arguments, run);
    subcommand->add_flag("--json", arguments->json, kForPrograms);
    return subcommand;
  };
  auto* list = command("list", "Alerts, newest first", list_alerts);
  list->add_option("--system", arguments->system, "Only of this system_key or id");
  list->add_option("--org", arguments->organization, "Only of this organization's systems");
  list->add_option("--type", arguments->type, "Only of this alert_type");
  list->add_option("--severity", arguments->severity, "Only this bad or worse")
      ->check(CLI::IsMember({"low", "medium", "high", "critical"}));
  list->add_option("--since", arguments->since,
                   "Only as old as this at most: 12h, 30d, or a time such as 2026-01-02T03:04:05Z");
  auto* open = list->add_flag("--open", arguments->open, "Only those that are not resolved");
  list->add_flag("--resolved", arguments->resolved, "Only those that are")->excludes(open);
  auto* deliveries = command("deliveries", "What was sent to the channels, newest first", list_deliveries);
  deliveries->add_option("--state", arguments->state, "Only these")
      ->check(CLI::IsMember({"pending", "sent", "dead"}));
  for (auto* each : {list, deliveries}) {
    each->add_option("--limit", arguments->limit, "How many (50; with --json all)")
        ->check(CLI::Range(1, 1'000'000'000));
    each->add_flag("--all", arguments->all, "All of them");
  }
  command("show", "One alert with the change that it tells", show_alert)
      ->add_option("id", arguments->id, "Its number")
      ->required();
  command("resolve", "Mark one as dealt with; those who were told of it are told", resolve_alert)
      ->add_option("id", arguments->id, "Its number")
      ->required();
  auto* retry = command("retry", "Send deliveries again that were given up", retry_deliveries);
  auto* which = retry->add_option("delivery", arguments->delivery, "Its id");
  retry->add_flag("--all", arguments->all, "All that were given up")->excludes(which);
  auto* test = command("test", "Send a test message, and show what the peer answers", test_channel);
  test->add_option("channel", arguments->channel, "Its name in config.yml")->required();
  test->add_option("--system", arguments->system, "The system that it seems to be about");
}

void add_backups(CLI::App& app, Action& action) {
  auto* backups = app.add_subcommand("backups", "What systems sent to be kept");
  backups->require_subcommand(1);
  auto arguments = std::make_shared<BackupArguments>();
  const auto command = [&](const std::string& name, const std::string& text,
                           Exit (*run)(const BackupArguments&)) {
    auto* subcommand = add(*backups, action, name, text, arguments, run);
    subcommand->add_flag("--json", arguments->json, kForPrograms);
    return subcommand;
  };
  const std::string of_which = "The system's key or id";
  command("list", "A system's backups, newest first", list_backups)
      ->add_option("system", arguments->system, of_which)
      ->required();
  auto* get = command("get", "Write one to a file, and check it on the way", get_backup);
  get->add_option("system", arguments->system, of_which)->required();
  get->add_option("id", arguments->id, "The backup's id")->required();
  get->add_option("--out", arguments->out, "Where to; - is standard output (default: the name it came with)");
  command("verify", "Read backups again and check their sums; exit code 1 when one does not hold",
          verify_backups)
      ->add_option("system", arguments->system, "Only this system's (key or id)");
  command("usage", "How much organizations keep", show_backup_usage)
      ->add_option("--org", arguments->organization, "Only this one");
}

void add_retention(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<RetentionArguments>();
  auto* command =
      add(app, action, "retention", "Remove now what is older than it is kept, as the service does by itself",
          arguments, run_retention);
  command->footer(
      "Of each system's records stay: of the last 7 days all, to 1 month one a day, to 3 months one a week,\n"
      "to 1 year one a month, then one a quarter; and always the first and the latest. Diffs stay. Resolved\n"
      "alerts go after 30 days, alert history after 6 months. The service may run meanwhile.");
  command->add_flag("--dry-run", arguments->dry_run, "Only say what would go");
  command->add_flag("--json", arguments->json, "For programs: also the ids of the records");
}

void add_queue(CLI::App& app, Action& action) {
  auto* queue = app.add_subcommand("queue", "What waits to be processed, and what was given up");
  queue->require_subcommand(1);
  auto arguments = std::make_shared<QueueArguments>();
  add(*queue, action, "stats", "How many messages wait in each stage", arguments, show_queues)
      ->add_flag("--json", arguments->json, kForPrograms);
  const auto of_stage = [&](const std::string& name, const std::string& text,
                            Exit (*run)(const QueueArguments&)) {
    auto* command = add(*queue, action, name, text, arguments, run);
    command->add_option("stage", arguments->stage, "inventory, processing or notification")
        ->required()
        ->check(CLI::IsMember({"inventory", "processing", "notification"}));
    command->add_flag("--json", arguments->json, kForPrograms);
    return command;
  };
  auto* peek = of_stage("peek", "Look at messages without taking them", peek_queue);
  peek->add_option("--part", arguments->part, "Which")
      ->check(CLI::IsMember({"dead", "ready", "delayed"}))
      ->capture_default_str();
  peek->add_option("--limit", arguments->limit, "How many")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  auto* retry = of_stage("retry", "Put dead letters in line again", retry_dead);
  auto* purge = of_stage("purge", "Delete dead letters for good", purge_dead);
  for (auto* command : {retry, purge}) {
    auto* id = command->add_option("id", arguments->id, "The message's id");
    command->add_flag("--all", arguments->all, "All dead letters of the stage")->excludes(id);
  }
  purge->add_flag("--yes", arguments->yes, "Do not ask");
}

void add_diff(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<DiffArguments>();
  auto* command =
      add(app, action, "diff", "Show what the rules make of two inventories", arguments, compare_files);
  command->add_option("previous", arguments->previous, "JSON file")->required();
  command->add_option("current", arguments->current, "JSON file")->required();
  command->add_flag("--json", arguments->json, "For programs: every change, also those that are not told");
  command->add_flag(
      "--partial", arguments->partial,
      "Take `current` as a report that a later one may still correct: what vanished is held back");
}

void add_rules(CLI::App& app, Action& action) {
  auto* rules = app.add_subcommand("rules", "What config.yml says of changes");
  rules->require_subcommand(1);
  auto arguments = std::make_shared<RulesArguments>();
  auto* command = add(*rules, action, "try",
                      "Run rules over stored history: what they would newly tell, and what no longer",
                      arguments, try_rules);
  command->footer("Nothing is written, nobody is told. The service may run meanwhile.");
  command
      ->add_option("--since", arguments->since,
                   "How much history: 12h, 30d, or since a time such as 2026-01-02T03:04:05Z")
      ->capture_default_str();
  command->add_option("--config", arguments->config, "The changed config.yml; else the one in force");
  auto* system = command->add_option("--system", arguments->system, "Only this system_key or id");
  command->add_option("--org", arguments->organization, "Only this organization's systems")->excludes(system);
  command
      ->add_option("--limit", arguments->limit,
                   "How many of each list; counts are exact (20 kinds; with --json 100 entries)")
      ->check(CLI::Range(1, 1'000'000'000));
  command->add_flag("--json", arguments->json, kForPrograms);
}

void add_config(CLI::App& app, Action& action) {
  auto* config = app.add_subcommand("config", "Settings and rules");
  config->require_subcommand(1);
  auto arguments = std::make_shared<ConfigArguments>();
  auto* explain = add(*config, action, "explain", "Every setting: value, where it came from, meaning",
                      arguments, explain_config);
  explain->add_flag("--json", arguments->json, kForPrograms);
  explain->add_flag("--markdown", arguments->markdown, "docs/settings.md");
  config->add_subcommand("check", "Check all settings and config.yml without starting")->callback([&action] {
    action = check_config;
  });
  config->add_subcommand("default", "Print the built-in config.yml, to start your own from")
      ->callback([&action] { action = print_default_config; });
}

void add_doctor(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<DoctorArguments>();
  auto* command = add(app, action, "doctor", "Look at everything that Collect depends on, and say what to do",
                      arguments, run_doctor);
  command->footer(
      "Settings, rules, certificate, database, Redis, clocks, disk, storage of backups, Alertmanager. "
      "Changes\n"
      "nothing, but for a probe that it stores in the bucket of the backups and removes again. Exit code 1 "
      "when\n"
      "something does not work, 0 also with warnings.");
  command->add_flag("--json", arguments->json, kForPrograms);
}

void add_demo(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<DemoArguments>();
  auto* command =
      add(app, action, "demo",
          "A small fleet of simulated systems reports to an instance of its own, and you see what changed",
          arguments, run_demo);
  command->add_option("--seconds", arguments->seconds, "How long they report")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->add_option("--systems", arguments->systems, "How many there are")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  command->add_flag("--keep", arguments->keep, "Keep the folder with everything that was stored");
  command->add_flag("--json", arguments->json, "For programs: only the result");
}

void add_load(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<LoadArguments>();
  auto* command = add(
      app, action, "load",
      "Post evolving inventories, or heartbeats, of simulated systems, and measure until all is processed",
      arguments, run_load);
  command->footer(
      "Run it with the server's own settings (environment or .env): it makes its systems in that database,\n"
      "under an organization of its own, and looks there for what became of the reports. They stay there.");
  command->add_option("--url", arguments->url, "Where Collect listens")->capture_default_str();
  command->add_option("--systems", arguments->systems, "How many systems report")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag("--heartbeats", arguments->heartbeats, "Post heartbeats instead of inventories");
  command->add_option("--rate", arguments->rate, "Posts a second, all together, or flat-out")
      ->capture_default_str();
  command->add_option("--duration", arguments->duration, "How long they post")->capture_default_str();
  command->add_option("--connections", arguments->connections, "Kept connections, a thread each")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag("--connection-each", arguments->connection_each,
                    "A new connection for each post, as appliances have it");
  command->add_flag("--warm-up", arguments->warm_up,
                    "Every system posts once before the clock starts: first reports cost more");
  command->add_option("--size", arguments->size, "About how long a report is")->capture_default_str();
  command->add_option("--server-pid", arguments->server_pid,
                      "Also tell the CPU time and memory of this process");
  command->add_flag("--json", arguments->json, kForPrograms);
}

// The parser only says that a command is missing. Empty: the words name a command, or do not get that far.
std::string unknown_command(CLI::App& app, int argc, char** argv) {
  CLI::App* at = &app;
  std::string known = "collect";
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const auto commands = at->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty()) return "";
    const auto next = std::find_if(commands.begin(), commands.end(),
                                   [&](const CLI::App* command) { return command->get_name() == argv[i]; });
    if (next == commands.end()) {
      std::string names;
      for (const CLI::App* command : commands) names += (names.empty() ? "" : ", ") + command->get_name();
      return fmt::format("\"{}\" is no command of {}, expected one of {}", argv[i], known, names);
    }
    at = *next;
    known += std::string(" ") + argv[i];
  }
  return "";
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app("Collect: what a fleet of appliances reports to.", "collect");
  app.require_subcommand(1);
  app.footer(
      "Settings come from the environment or a .env file: collect config explain.\n"
      "Exit codes: 0 done, 1 internal error, 2 wrong usage or input, 3 not found, 4 conflict, 5 "
      "unavailable.");
  Action action;
  add_service(app, action);
  add_organizations(app, action);
  add_systems(app, action);
  add_inventory(app, action);
  add_alerts(app, action);
  add_backups(app, action);
  add_retention(app, action);
  add_queue(app, action);
  add_diff(app, action);
  add_rules(app, action);
  add_config(app, action);
  add_doctor(app, action);
  add_demo(app, action);
  add_load(app, action);
  app.add_subcommand("man", "Print the manual page: collect man | man -l -")->callback([&app, &action] {
    action = [&app] {
      fmt::print("{}", man_page(app));
      return Exit::ok;
    };
  });
  if (const std::string problem = unknown_command(app, argc, argv); !problem.empty()) {
    fmt::print(stderr, "collect: {}\n", problem);
    return static_cast<int>(Exit::usage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  return static_cast<int>(action ? action() : Exit::usage);
}

}  // namespace collect::app
