// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "app/backups_part.h"
#include "app/commands.h"
#include "app/config_file.h"
#include "app/terminal.h"
#include "backend/object_stores.h"
#include "backups/backup_monitor.h"
#include "backups/verification.h"
#include "base/json.h"

namespace collect::app {
namespace {

using backups::Backup;
using backups::Owner;

// Where backups lie, and the systems that they are of.
struct Stored {
  Opened opened;
  std::unique_ptr<backups::ObjectStore> objects;
  std::unique_ptr<backups::BackupService> service;
};

Result<Stored> open_stored() {
  auto opened = open_stores();
  if (!opened) return opened.failure();
  auto objects = backend::open_object_store(opened->settings);
  if (!objects) return objects.failure();
  Stored stored{*std::move(opened), *std::move(objects), nullptr};
  stored.service =
      std::make_unique<backups::BackupService>(*stored.objects, stored.opened.engine->stores().backups,
                                               *stored.opened.clock, backup_options(stored.opened.settings));
  return stored;
}

Owner owner_of(const systems::System& system) {
  return {system.organization_id, system.id, system.system_key};
}

Result<systems::System> system_named(Stored& stored, const std::string& key_or_id) {
  auto login = stored.opened.engine->stores().systems.find(key_or_id);
  if (!login) return login.failure();
  if (!*login) return not_found(fmt::format("there is no system {}", key_or_id));
  return std::move((*login)->system);
}

void write_members(json::Writer& w, const Backup& backup) {
  w.member("id", backup.id.text()).member("filename", backup.filename);
  w.member("size", static_cast<std::int64_t>(backup.size)).member("sha256", backup.sha256);
  w.member("mimetype", backup.mimetype).member("uploaded_at", to_rfc3339(backup.id.uploaded_at()));
}

std::string bytes_shown(std::uint64_t bytes) {
  static constexpr std::string_view kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

// A file that is only there when it is whole.
class Target {
 public:
  static Result<std::unique_ptr<Target>> open(const std::string& path) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "wbxe");
    if (file == nullptr) {
      const int error = errno;
      if (error == EEXIST)
        return conflict(fmt::format("{} exists already: name another file with --out", path));
      return unavailable(fmt::format("cannot write {}: {}", path, std::generic_category().message(error)));
    }
    return std::unique_ptr<Target>(new Target(path, file));
  }
  ~Target() {
    if (file_ == stdout) return;
    (void)std::fclose(file_);
    std::error_code ignored;
    if (!kept_) std::filesystem::remove(path_, ignored);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  Result<void> write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size()) return {};
    return unavailable(fmt::format("cannot write {}: {}", path_, std::generic_category().message(errno)));
  }
  Result<void> keep() {
    kept_ = std::fflush(file_) == 0;
    if (kept_) return {};
    return unavailable(fmt::format("cannot write {}: {}", path_, std::generic_category().message(errno)));
  }

 private:
  Target(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  const std::string path_;
  std::FILE* const file_;
  bool kept_ = false;
};

// One backup as `verify` found it.
struct Finding {
  std::string system_key;
  std::string id;
  std::uint64_t size = 0;
  std::string state;  // whole, corrupt, unreadable
  std::string error;  // of the latter two
};

Finding look_at(backups::ObjectStore& objects, const std::string& system_key,
                const backups::ObjectEntry& entry) {
  Finding finding{system_key, backups::id_of_key(entry.key).value().text(), entry.size, "whole", ""};
  const auto verified = backups::read_and_verify(objects, entry.key);
  if (!verified) {
    finding.state = "unreadable";
    finding.error = verified.failure().message;
  } else if (!verified->whole()) {
    finding.state = "corrupt";
    finding.error =
        fmt::format("expected SHA-256 {}, got {}", verified->backup.sha256, verified->found_sha256);
  }
  return finding;
}

// Adds what it finds, and tells the alerts' channels of what does not hold.
Result<void> look_at_all(Stored& stored, const systems::System& system,
                         const alerts::NotificationRules& rules, std::vector<Finding>& findings) {
  const auto listed = stored.objects->list(backups::system_prefix(owner_of(system)));
  if (!listed) return listed.failure();
  std::vector<std::string> corrupt;
  bool all_read = true;
  for (const backups::ObjectEntry& entry : *listed) {
    if (!backups::id_of_key(entry.key)) continue;
    findings.push_back(look_at(*stored.objects, system.system_key, entry));
    if (findings.back().state == "corrupt") corrupt.push_back(findings.back().id);
    all_read = all_read && findings.back().state != "unreadable";
  }
  // What cannot be read now may be whole or not.
  if (corrupt.empty() && !all_read) return {};
  return backups::report_verified(stored.opened.engine->stores().alerts, rules, system, corrupt,
                                  stored.opened.clock->now());
}

Result<std::vector<systems::System>> systems_asked(Stored& stored, const BackupArguments& arguments) {
  if (arguments.system.empty()) return stored.opened.engine->stores().systems.list({});
  auto system = system_named(stored, arguments.system);
  if (!system) return system.failure();
  return std::vector{*std::move(system)};
}

std::string findings_json(const std::vector<Finding>& findings) {
  json::Writer w;
  w.begin_array();
  for (const Finding& each : findings) {
    w.begin_object().member("system_key", each.system_key).member("id", each.id);
    w.member("size", static_cast<std::int64_t>(each.size)).member("state", each.state);
    w.member("error", each.error.empty() ? std::nullopt : std::optional(each.error)).end_object();
  }
  w.end_array();
  return std::move(w).text();
}

std::string findings_table(const std::vector<Finding>& findings) {
  if (findings.empty()) return "No backups.\n";
  Table table({"system", "id", "size", "state", ""});
  for (const Finding& each : findings) {
    table.add({{each.system_key},
               {each.id},
               {bytes_shown(each.size)},
               {each.state, each.state == "whole" ? Colour::green : Colour::bold_red},
               {each.error}});
  }
  return table.text();
}

}  // namespace

Exit list_backups(const BackupArguments& arguments) {
  auto stored = open_stored();
  if (!stored) return fail(stored.failure());
  const auto system = system_named(*stored, arguments.system);
  if (!system) return fail(system.failure());
  const auto listed = stored->service->list(owner_of(*system));
  if (!listed) return fail(listed.failure());
  if (arguments.json) {
    json::Writer w;
    w.begin_array();
    for (const Backup& backup : *listed) {
      w.begin_object();
      write_members(w, backup);
      w.end_object();
    }
    w.end_array();
    fmt::print("{}\n", w.text());
    return Exit::ok;
  }
  if (listed->empty()) {
    fmt::print("No backups.\n");
    return Exit::ok;
  }
  Table table({"id", "when (UTC)", "size", "file"});
  for (const Backup& backup : *listed) {
    table.add({{backup.id.text()},
               {to_rfc3339(backup.id.uploaded_at()).substr(0, 16), Colour::dim},
               {bytes_shown(backup.size)},
               {backup.filename}});
  }
  fmt::print("{}", table.text());
  return Exit::ok;
}

Exit get_backup(const BackupArguments& arguments) {
  auto stored = open_stored();
  if (!stored) return fail(stored.failure());
  const auto system = system_named(*stored, arguments.system);
  if (!system) return fail(system.failure());
  const auto id = backups::BackupId::parse(arguments.id);
  if (!id) return fail(invalid(fmt::format("{} is no backup's id: see collect backups list", arguments.id)));
  const auto backup = stored->service->find(owner_of(*system), *id);
  if (!backup && backup.failure().kind == FailureKind::not_found) {
    return fail(not_found(fmt::format("system {} has no backup {}", system->system_key, id->text())));
  }
  if (!backup) return fail(backup.failure());
  const std::string path = arguments.out.empty() ? backup->filename : arguments.out;
  auto target = Target::open(path);
  if (!target) return fail(target.failure());
  const auto verified =
      backups::read_and_verify(*stored->objects, backups::key_of(owner_of(*system), *id),
                               [&](std::string_view piece) { return (*target)->write(piece); });
  if (!verified) return fail(verified.failure());
  if (!verified->whole()) {
    return fail(internal(fmt::format("the backup is corrupt: expected SHA-256 {}, got {}",
                                     verified->backup.sha256, verified->found_sha256)));
  }
  if (auto kept = (*target)->keep(); !kept) return fail(kept.failure());
  if (arguments.json) {
    json::Writer w;
    w.begin_object();
    write_members(w, verified->backup);
    w.member("file", path).end_object();
    fmt::print(path == "-" ? stderr : stdout, "{}\n", w.text());
  } else if (path != "-") {
    fmt::print("{}: {}, its checksum holds\n", path, bytes_shown(backup->size));
  }
  return Exit::ok;
}

Exit verify_backups(const BackupArguments& arguments) {
  auto stored = open_stored();
  if (!stored) return fail(stored.failure());
  const auto asked = systems_asked(*stored, arguments);
  if (!asked) return fail(asked.failure());
  const auto config = load_config(stored->opened.settings);
  if (!config) return fail(config.failure());
  std::vector<Finding> findings;
  for (const systems::System& system : *asked) {
    if (auto looked = look_at_all(*stored, system, config->notifications, findings); !looked)
      return fail(looked.failure());
  }
  fmt::print("{}", arguments.json ? findings_json(findings) + "\n" : findings_table(findings));
  const bool whole = std::ranges::all_of(findings, [](const Finding& each) { return each.state == "whole"; });
  return whole ? Exit::ok : Exit::internal;
}

Exit show_backup_usage(const BackupArguments& arguments) {
  auto stored = open_stored();
  if (!stored) return fail(stored.failure());
  const backend::Stores stores = stored->opened.engine->stores();
  std::string prefix;
  if (!arguments.organization.empty()) {
    const auto organization = organization_named(stores, arguments.organization);
    if (!organization) return fail(organization.failure());
    prefix = organization->text() + "/";
  }
  const auto organizations = stores.systems.list_organizations();
  if (!organizations) return fail(organizations.failure());
  std::map<std::string, std::string> names;
  for (const systems::Organization& each : *organizations) names[each.logto_id.text()] = each.name;

  const auto listed = stored->objects->list(prefix);
  if (!listed) return fail(listed.failure());
  std::map<std::string, backups::Usage> usage;
  if (!prefix.empty()) usage[prefix.substr(0, prefix.size() - 1)] = {};
  for (const backups::ObjectEntry& entry : *listed) {
    backups::Usage& of = usage[entry.key.substr(0, entry.key.find('/'))];
    of.backups += backups::id_of_key(entry.key) ? 1 : 0;
    of.bytes += entry.size;
  }
  const std::uint64_t quota = stored->opened.settings.backup_max_size_per_org.bytes;
  if (arguments.json) {
    json::Writer w;
    w.begin_array();
    for (const auto& [organization, of] : usage) {
      const auto name = names.find(organization);
      w.begin_object().member("organization_id", organization);
      w.member("name", name == names.end() ? std::nullopt : std::optional(name->second));
      w.member("backups", static_cast<std::int64_t>(of.backups));
      w.member("bytes", static_cast<std::int64_t>(of.bytes)).key("quota_bytes");
      quota == 0 ? w.value(nullptr) : w.value(static_cast<std::int64_t>(quota));
      w.end_object();
    }
    w.end_array();
    fmt::print("{}\n", w.text());
    return Exit::ok;
  }
  Table table({"organization", "name", "backups", "size", "of its quota"});
  for (const auto& [organization, of] : usage) {
    const double part = quota == 0 ? 0 : 100.0 * static_cast<double>(of.bytes) / static_cast<double>(quota);
    table.add({{organization},
               {names[organization]},
               {std::to_string(of.backups)},
               {bytes_shown(of.bytes)},
               {quota == 0 ? "no quota" : fmt::format("{:.1f} %", part)}});
  }
  fmt::print("{}", usage.empty() ? "No backups.\n" : table.text());
  return Exit::ok;
}

}  // namespace collect::app
