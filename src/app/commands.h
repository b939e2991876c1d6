// SPDX-License-Identifier: Apache-2.0
// What the command line does, one function a command. How it is spelled is in command_line.cc, the only place
// that knows the parser.
#pragma once

#include <sys/types.h>

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

// The settings of this process, with logging set up by them.
Result<Settings> settings_of_process();

// A database that commands look into beside a running service.
struct Opened {
  Settings settings;
  std::unique_ptr<SystemClock> clock;
  std::unique_ptr<backend::Engine> engine;
};
Result<Opened> open_stores(backend::Use use = backend::Use::stores);

// By id or exact name. `not_found`: no organization is called that, and no system belongs to one of that id.
Result<OrganizationId> organization_named(const backend::Stores& stores, const std::string& id_or_name);

// What --since means: how long ago, or the time itself (messages name the time of their oldest alert).
Result<Time> since_of(const std::string& text, Time now);

Exit serve(const std::string& role);  // all, api, worker

struct MigrateArguments {
  std::string from;  // the data directory of an embedded instance; empty: nothing moves
  bool json = false;
};
Exit migrate(const MigrateArguments& arguments);
Exit say_version(bool json);

struct OrganizationArguments {
  std::string name;
  std::string type = "customer";
  std::string vat;
  std::string managed_by;
  bool json = false;
};
Exit create_organization(const OrganizationArguments& arguments);
Exit list_organizations(const OrganizationArguments& arguments);

struct SystemArguments {
  std::string organization;
  std::string name;
  std::string key;
  bool unregistered = false;
  bool deleted = false;
  bool json = false;
};
Exit create_system(const SystemArguments& arguments);
Exit list_systems(const SystemArguments& arguments);
Exit show_system(const SystemArguments& arguments);
Exit suspend_system(const SystemArguments& arguments);
Exit reactivate_system(const SystemArguments& arguments);
Exit rotate_secret(const SystemArguments& arguments);
Exit delete_system(const SystemArguments& arguments);

struct InventoryArguments {
  std::string key;
  std::size_t limit = 50;
  bool all = false;
  bool json = false;
  std::string severity;
  std::string category;
};
Exit show_latest(const InventoryArguments& arguments);
Exit show_history(const InventoryArguments& arguments);
Exit show_timeline(const InventoryArguments& arguments);
Exit show_diffs(const InventoryArguments& arguments);

struct AlertArguments {
  std::int64_t id = 0;
  std::string system;
  std::string organization;
  std::string type;
  std::string severity;
  std::string since;
  bool open = false;
  bool resolved = false;
  std::size_t limit = 0;  // 0: 50 for people, all for programs
  bool all = false;
  std::string channel;
  std::string delivery;
  std::string state;
  bool json = false;
};
Exit list_alerts(const AlertArguments& arguments);
Exit show_alert(const AlertArguments& arguments);
Exit resolve_alert(const AlertArguments& arguments);
Exit test_channel(const AlertArguments& arguments);
Exit list_deliveries(const AlertArguments& arguments);
Exit retry_deliveries(const AlertArguments& arguments);

struct BackupArguments {
  std::string system;
  std::string organization;
  std::string id;
  std::string out;  // empty: the backup's own name; "-": standard output
  bool json = false;
};
Exit list_backups(const BackupArguments& arguments);
Exit get_backup(const BackupArguments& arguments);
Exit verify_backups(const BackupArguments& arguments);  // internal: one of them does not hold
Exit show_backup_usage(const BackupArguments& arguments);

struct RetentionArguments {
  bool dry_run = false;
  bool json = false;
};
Exit run_retention(const RetentionArguments& arguments);  // internal: some records could not be removed

struct QueueArguments {
  std::string stage;
  std::string part = "dead";
  std::string id;
  std::size_t limit = 10;
  bool all = false;
  bool yes = false;
  bool json = false;
};
Exit show_queues(const QueueArguments& arguments);
Exit peek_queue(const QueueArguments& arguments);
Exit retry_dead(const QueueArguments& arguments);
Exit purge_dead(const QueueArguments& arguments);

struct DiffArguments {
  std::string previous;
  std::string current;
  bool json = false;
  bool partial = false;
};
Exit compare_files(const DiffArguments& arguments);

struct ConfigArguments {
  bool json = false;
  bool markdown = false;
};
Exit explain_config(const ConfigArguments& arguments);
Exit check_config();
Exit print_default_config();

struct RulesArguments {
  std::string since = "30d";
  std::string config;  // empty: the one in force
  std::string system;
  std::string organization;
  std::size_t limit = 0;  // 0: 20 for people, 100 for programs
  bool json = false;
};
Exit try_rules(const RulesArguments& arguments);

struct DoctorArguments {
  bool json = false;
};
Exit run_doctor(const DoctorArguments& arguments);  // internal: something does not work

struct DemoArguments {
  int seconds = 60;
  std::size_t systems = 8;
  bool json = false;
  bool keep = false;
};
Exit run_demo(const DemoArguments& arguments);

struct LoadArguments {
  std::string url = "http://127.0.0.1:8081";
  std::size_t systems = 100;
  std::string rate = "flat-out";
  std::string duration = "30s";
  std::size_t connections = 16;
  bool connection_each = false;
  bool heartbeats = false;
  bool warm_up = false;
  std::string size = "30KB";
  pid_t server_pid = 0;
  bool json = false;
};
Exit run_load(const LoadArguments& arguments);

}  // namespace collect::app
