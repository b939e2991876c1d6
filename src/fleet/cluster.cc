// SPDX-License-Identifier: Apache-2.0
#include "fleet/cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "fleet/hardware.h"

namespace collect::fleet {
namespace {

constexpr std::string_view kHead =
    R"({"$schema": "https://schema.nethserver.org/facts/2022-12.json", "uuid": "@uuid@", )"
    R"("installation": "nethserver", "facts": {"cluster": {"leader_node_id": "1", "user_domains": [)"
    R"({"name": "ad.@domain@", "location": "internal", "protocol": "ldap", "schema": "ad", "providers_count": 1, )"
    R"("active_users": @active0:8-180@, "total_users": @total0:190-220@, "total_groups": 7}, )"
    R"({"name": "ldap.@domain@", "location": "internal", "protocol": "ldap", "schema": "rfc2307", )"
    R"("providers_count": 1, "active_users": @active1:8-40@, "total_users": @total1:41-60@, "total_groups": 3}], )"
    R"("subscription": "enterprise", "admins": {"count": 4, "2fa": @two_factor:1-3@}, )"
    R"("repositories": @repositories@, "smarthost": {"enabled": @smarthost@, "manual_configuration": true}, )"
    R"("backup": {"backup_count": 2, "destination_count": @destinations@, "destination_providers": @providers@}, )"
    R"("update_disabled": false, "update_disabled_reason": "", "update_schedule_active": true, )"
    R"("ui_name": "Cluster Z\u00fcrich"}, "nodes": {)";

constexpr std::string_view kNode =
    R"({"creation_date": "2025-03-11T08:21:40+00:00", "cluster_leader": @leader@, "fqdn": "@fqdn@", )"
    R"("default_ipv4": "192.0.2.@address:10-250@", "default_ipv6": "", )"
    R"("kernel_version": "5.14.0-@kernel:500-600@.el9.x86_64", "uptime_seconds": @uptime:3600-7000000@, )"
    R"("timezone": "CET", "volumesconf_mountpoint_count": 1, "volumesconf_application_types": [], )"
    R"("version": "@core@", "distro": {"name": "Rocky", "version": "9.@release:4-6@"}, )"
    R"("processors": {"count": @cores@, "model": "@processor@", "architecture": "x86_64"}, )"
    R"("product": {"name": "@product@", "manufacturer": "@manufacturer@"}, "virtual": "@virtual@", )"
    R"("memory": {"swap": {"used_bytes": @swap:0-300@, "available_bytes": 1748}, )"
    R"("system": {"used_bytes": @memory:9000-24000@, "available_bytes": 8504}}, "pci": [@pci@], )"
    R"("ui_name": "", "update_available": false})";

constexpr std::size_t kDefaultPciBytes = 1'500;  // of a report, for each PCI device of a node

}  // namespace

std::unique_ptr<Machine> make_cluster(std::uint64_t seed, std::size_t size_bytes) {
  return std::make_unique<Cluster>(seed, size_bytes);
}

Cluster::Cluster(std::uint64_t seed, std::size_t size_bytes)
    : Machine(seed),
      domain_(fmt::format("site{}.example.org", seed)),
      pci_count_(std::clamp<std::size_t>(size_bytes / kDefaultPciBytes, 8, 40)),
      head_(kHead, dice_),
      user_domains_{"ad." + domain_, "ldap." + domain_},
      repositories_{"updates.example.org/ns8", "forge.example.org/ns8"},
      backup_destinations_{"backblaze", "cluster"} {
  head_.set("uuid", invented_uuid(dice_)).set("domain", domain_).set("smarthost", "true");
  head_.set("providers", json_list(backup_destinations_)).set("destinations", std::int64_t{2});
  const std::size_t nodes = size_bytes < 15'000 ? 1 : size_bytes < 60'000 ? 2 : 4;
  while (nodes_.size() < nodes) add_node();
  add_module(account_provider(), "1");
  for (std::size_t i = 0; i < 3 || length() < size_bytes; ++i)
    add_module(user_apps()[i % user_apps().size()], nodes_[i % nodes_.size()].key);
  list_names();
  nodes_at_start_ = nodes_.size();
  user_modules_at_start_ = count_user_modules();
}

Cluster::Node& Cluster::add_node() {
  const auto key = std::to_string(++last_node_);
  const auto& hardware = server_hardware(dice_);
  auto& node = nodes_.emplace_back(Node{key, Form(kNode, dice_), pci_devices(pci_count_, dice_)});
  node.form.set("leader", last_node_ == 1 ? "true" : "false");
  node.form.set("fqdn", fmt::format("node{}.{}", key, domain_)).set("core", core_version());
  node.form.set("cores", std::int64_t{4}).set("pci", joined(node.devices));
  node.form.set("processor", hardware.processor).set("product", hardware.product);
  node.form.set("manufacturer", hardware.manufacturer).set("virtual", hardware.virtual_ns8);
  for (const auto& app : core_apps()) add_module(app, key);
  return node;
}

std::string Cluster::core_version() const {
  return fmt::format("3.18.{}", core_patch_);
}

Module& Cluster::add_module(const App& app, std::string_view node) {
  Module module(app, ++numbers_[app.id], node, domain_, user_domains_, dice_);
  // Instances of one application stand together.
  auto place = modules_.end();
  for (auto at = modules_.begin(); at != modules_.end(); ++at) {
    if (at->app().id == app.id) place = at + 1;
  }
  return *modules_.insert(place, std::move(module));
}

void Cluster::list_names() {
  for (auto& proxy : modules_) {
    if (proxy.app().id != "traefik") continue;
    std::string map;
    for (const auto& module : modules_) {
      if (module.node() != proxy.node()) continue;
      for (const auto& name : module.names())
        map += fmt::format(R"({}"{}": "{}")", map.empty() ? "" : ", ", name, module.id());
    }
    proxy.form().set("map", map);
  }
}

std::size_t Cluster::length() const {
  std::string text;
  for (const auto& node : nodes_) node.form.append_to(text);
  for (const auto& module : modules_) module.append_to(text);
  head_.append_to(text);
  auto bytes = text.size();
  for (const auto& module : modules_) {  // listed by its node's proxy, once all are known
    for (const auto& name : module.names()) bytes += name.size() + module.id().size() + 8;
  }
  return bytes;
}

void Cluster::pass_time() {
  for (auto& node : nodes_) {
    node.form.add("uptime", dice_.between(25'000, 32'000));
    node.form.drift("memory", 200, 400, 60'000, dice_);
    node.form.drift("swap", 25, 0, 2000, dice_);
  }
  for (auto& module : modules_) module.pass_time(dice_);
}

void Cluster::write(std::string& out) {
  dice_.shuffle(repositories_);
  dice_.shuffle(backup_destinations_);
  head_.set("repositories", json_list(repositories_)).set("providers", json_list(backup_destinations_));
  head_.append_to(out);
  std::vector<std::size_t> order(nodes_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  dice_.shuffle(order);
  for (std::size_t i = 0; i < order.size(); ++i) {
    out += fmt::format(R"({}"{}": )", i == 0 ? "" : ", ", nodes_[order[i]].key);
    nodes_[order[i]].form.append_to(out);
  }
  out += R"(}, "modules": [)";
  bool first = true;
  for (auto& module : modules_) {
    if (!first) out += ", ";
    first = false;
    module.shuffle_sets(dice_);
    module.append_to(out);
  }
  out += "]}}";
}

}  // namespace collect::fleet
