// SPDX-License-Identifier: Apache-2.0
// What may happen to a cluster. Each function changes the state and tells what has to be found because of it;
// what the built-in rules silence (update flags, traefik's books, telephone statistics) may change along with
// it.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fleet/cluster.h"
#include "fleet/hardware.h"

namespace collect::fleet {
namespace {

std::string of_module(std::string_view id, std::string_view rest = "") {
  return fmt::format("facts.modules.{}{}", id, rest);
}

std::string of_node(std::string_view key, std::string_view rest = "") {
  return fmt::format("facts.nodes.{}{}", key, rest);
}

}  // namespace

Event Cluster::change() {
  // What happens often stands here often.
  static constexpr std::array<Happening, 24> kHappenings{
      &Cluster::update_module,     &Cluster::update_module, &Cluster::update_module,
      &Cluster::update_module,     &Cluster::update_module, &Cluster::install_module,
      &Cluster::install_module,    &Cluster::remove_module, &Cluster::remove_module,
      &Cluster::add_users,         &Cluster::add_users,     &Cluster::add_users,
      &Cluster::update_os,         &Cluster::update_os,     &Cluster::update_core,
      &Cluster::node_joins,        &Cluster::node_leaves,   &Cluster::change_backup_destination,
      &Cluster::rename_node,       &Cluster::move_address,  &Cluster::toggle_smarthost,
      &Cluster::change_two_factor, &Cluster::change_cores,  &Cluster::change_network_card,
  };
  for (;;) {
    if (auto event = (this->*dice_.pick(kHappenings))()) return *std::move(event);
  }
}

std::optional<Event> Cluster::update_module() {
  const auto at = dice_.index(modules_.size());
  auto& module = modules_[at];
  const auto before = module.version();
  module.update();
  Event event{fmt::format("{} {} → {} ({})", module.app().name, before, module.version(), module.id()),
              {{of_module(module.id(), ".version"), "update"}}};
  // An updated instance moves before its older sisters in the list.
  const auto moved = modules_.begin() + static_cast<std::ptrdiff_t>(at);
  const auto place = std::find_if(modules_.begin(), moved, [&](const Module& other) {
    return other.app().id == moved->app().id && other.patch() < moved->patch();
  });
  std::rotate(place, moved, moved + 1);
  return event;
}

std::optional<Event> Cluster::install_module() {
  if (count_user_modules() > user_modules_at_start_ + 1) return std::nullopt;
  const auto& app = dice_.pick(user_apps());
  const auto& module = add_module(app, dice_.pick(nodes_).key);
  Event event{fmt::format("{} {} installed ({})", module.app().name, module.version(), module.id()),
              {{of_module(module.id()), "create"}}};
  list_names();
  return event;
}

bool Cluster::is_user_module(const Module& module) {
  return std::any_of(user_apps().begin(), user_apps().end(),
                     [&](const App& app) { return &app == &module.app(); });
}

std::size_t Cluster::count_user_modules() const {
  return static_cast<std::size_t>(std::count_if(modules_.begin(), modules_.end(), is_user_module));
}

std::optional<std::size_t> Cluster::pick_user_module() {
  const auto start = dice_.index(modules_.size());
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    const auto at = (start + i) % modules_.size();
    if (is_user_module(modules_[at])) return at;
  }
  return std::nullopt;
}

std::optional<Event> Cluster::remove_module() {
  const auto at = pick_user_module();
  if (!at || count_user_modules() < user_modules_at_start_) return std::nullopt;
  const auto& module = modules_[*at];
  Event event{fmt::format("{} removed ({})", module.app().name, module.id()),
              {{of_module(module.id()), "delete"}}};
  modules_.erase(modules_.begin() + static_cast<std::ptrdiff_t>(*at));
  list_names();
  return event;
}

std::optional<Event> Cluster::node_joins() {
  if (nodes_.size() > nodes_at_start_) return std::nullopt;
  const auto& node = add_node();
  list_names();
  Event event{fmt::format("node {} joined the cluster", node.key), {{of_node(node.key), "create"}}};
  for (const auto& module : modules_) {
    if (module.node() == node.key) event.changes.push_back({of_module(module.id()), "create"});
  }
  return event;
}

std::optional<Event> Cluster::node_leaves() {
  if (nodes_.size() <= nodes_at_start_) return std::nullopt;
  const auto key = nodes_.back().key;
  nodes_.pop_back();
  Event event{fmt::format("node {} left the cluster", key), {{of_node(key), "delete"}}};
  for (const auto& module : modules_) {
    if (module.node() == key) event.changes.push_back({of_module(module.id()), "delete"});
  }
  std::erase_if(modules_, [&](const Module& module) { return module.node() == key; });
  list_names();
  return event;
}

std::optional<Event> Cluster::update_os() {
  auto& node = dice_.pick(nodes_);
  const auto before = node.form.number("release");
  node.form.set("uptime", dice_.between(600, 20'000));
  node.form.add("kernel", dice_.between(1, 20));
  Event event{"", {{of_node(node.key, ".kernel_version"), "update"}}};
  if (dice_.chance(0.5)) {
    event.changes.push_back({of_node(node.key, ".distro.version"), "update"});
    event.words = fmt::format("Rocky 9.{} → 9.{} on node {}", before, node.form.add("release", 1), node.key);
  } else {
    event.words = fmt::format("new kernel 5.14.0-{} on node {}", node.form.number("kernel"), node.key);
  }
  return event;
}

std::optional<Event> Cluster::update_core() {
  const auto before = core_version();
  ++core_patch_;
  Event event{fmt::format("core {} → {}", before, core_version()), {}};
  for (auto& node : nodes_) {
    node.form.set("core", core_version());
    event.changes.push_back({of_node(node.key, ".version"), "update"});
  }
  return event;
}

std::optional<Event> Cluster::add_users() {
  const auto which = dice_.index(user_domains_.size());
  const auto count = dice_.between(1, 3);
  const auto& domain = user_domains_[which];
  head_.add(fmt::format("active{}", which), count);
  head_.add(fmt::format("total{}", which), count);
  const auto path = "facts.cluster.user_domains." + domain;
  Event event{fmt::format("{} new {} in {}", count, count == 1 ? "user" : "users", domain),
              {{path + ".active_users", "update"}, {path + ".total_users", "update"}}};
  for (auto& module : modules_) {
    if (!module.counts_mailboxes()) continue;
    module.form().add("mailboxes", count);
    module.form().add("addresses", count);
    for (const auto* leaf : {".addresses_total_count", ".addresses_adduser_count", ".mailboxes_total_count"})
      event.changes.push_back({of_module(module.id(), leaf), "update"});
  }
  return event;
}

std::optional<Event> Cluster::change_backup_destination() {
  static constexpr std::string_view kOffsite = "azure";
  const auto there = std::find(backup_destinations_.begin(), backup_destinations_.end(), kOffsite);
  const bool adds = there == backup_destinations_.end();
  if (adds) {
    backup_destinations_.emplace_back(kOffsite);
  } else {
    backup_destinations_.erase(there);
  }
  head_.set("destinations", static_cast<std::int64_t>(backup_destinations_.size()));
  return Event{fmt::format("backup destination {} {}", kOffsite, adds ? "added" : "removed"),
               {{"facts.cluster.backup.destination_count", "update"},
                {"facts.cluster.backup.destination_providers", "update"}}};
}

std::optional<Event> Cluster::rename_node() {
  auto& node = dice_.pick(nodes_);
  const auto before = node.form.value("fqdn");
  auto name = before;
  while (name == before) name = fmt::format("ns8-{}-{}.{}", node.key, dice_.between(10, 99), domain_);
  node.form.set("fqdn", name);
  return Event{fmt::format("node {} is now called {}", node.key, name),
               {{of_node(node.key, ".fqdn"), "update"}}};
}

std::optional<Event> Cluster::move_address() {
  auto& node = dice_.pick(nodes_);
  const auto before = node.form.number("address");
  node.form.set("address", before > 240 ? before - 230 : before + dice_.between(1, 10));
  return Event{fmt::format("node {} moved from 192.0.2.{} to 192.0.2.{}", node.key, before,
                           node.form.number("address")),
               {{of_node(node.key, ".default_ipv4"), "update"}}};
}

std::optional<Event> Cluster::toggle_smarthost() {
  const bool on = head_.value("smarthost") == "true";
  head_.set("smarthost", on ? "false" : "true");
  return Event{fmt::format("smarthost switched {}", on ? "off" : "on"),
               {{"facts.cluster.smarthost.enabled", "update"}}};
}

std::optional<Event> Cluster::change_two_factor() {
  const auto before = head_.number("two_factor");
  const auto after = head_.add("two_factor", before >= 4 ? -1 : 1);
  return Event{fmt::format("administrators with two-factor login: {} → {}", before, after),
               {{"facts.cluster.admins.2fa", "update"}}};
}

std::optional<Event> Cluster::change_cores() {
  auto& node = dice_.pick(nodes_);
  const auto before = node.form.number("cores");
  const auto after = node.form.add("cores", before > 4 ? -4 : 4);
  node.form.set("uptime", dice_.between(600, 20'000));
  return Event{fmt::format("node {} has {} cores instead of {}", node.key, after, before),
               {{of_node(node.key, ".processors.count"), "update"}}};
}

std::optional<Event> Cluster::change_network_card() {
  auto& node = dice_.pick(nodes_);
  const bool adds = node.devices.size() == pci_count_;
  if (adds) {
    node.devices.insert(node.devices.begin() + static_cast<std::ptrdiff_t>(pci_count_ / 2), network_card());
  } else {
    node.devices.erase(node.devices.begin() + static_cast<std::ptrdiff_t>(pci_count_ / 2));
  }
  node.form.set("pci", joined(node.devices));
  return Event{fmt::format("network card {} node {}", adds ? "added to" : "taken out of", node.key),
               {{of_node(node.key, ".pci"), "update"}}};
}

}  // namespace collect::fleet
