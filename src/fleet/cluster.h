// SPDX-License-Identifier: Apache-2.0
// A NethServer 8 cluster.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/form.h"
#include "fleet/machine.h"
#include "fleet/modules.h"

namespace collect::fleet {

class Cluster final : public Machine {
 public:
  Cluster(std::uint64_t seed, std::size_t size_bytes);

  void pass_time() override;
  Event change() override;
  void write(std::string& out) override;
  [[nodiscard]] const std::string& fqdn() const override { return nodes_.front().form.value("fqdn"); }

 private:
  struct Node {
    std::string key;
    Form form;
    std::vector<std::string> devices;  // PCI
  };
  // nullopt: this cannot happen to the cluster as it is.
  using Happening = std::optional<Event> (Cluster::*)();

  Node& add_node();
  Module& add_module(const App& app, std::string_view node);
  // Chosen by people, not part of every cluster.
  static bool is_user_module(const Module& module);
  [[nodiscard]] std::size_t count_user_modules() const;
  // Position in modules_ of any such module.
  std::optional<std::size_t> pick_user_module();
  void list_names();
  [[nodiscard]] std::size_t length() const;
  [[nodiscard]] std::string core_version() const;

  std::optional<Event> update_module();
  std::optional<Event> install_module();
  std::optional<Event> remove_module();
  std::optional<Event> node_joins();
  std::optional<Event> node_leaves();
  std::optional<Event> update_os();
  std::optional<Event> update_core();
  std::optional<Event> add_users();
  std::optional<Event> change_backup_destination();
  std::optional<Event> rename_node();
  std::optional<Event> move_address();
  std::optional<Event> toggle_smarthost();
  std::optional<Event> change_two_factor();
  std::optional<Event> change_cores();
  std::optional<Event> change_network_card();

  std::string domain_;
  std::size_t pci_count_;
  Form head_;
  std::vector<std::string> user_domains_, repositories_, backup_destinations_;
  std::vector<Node> nodes_;                  // the leader first
  std::vector<Module> modules_;              // in the order of the inventory
  std::map<std::string_view, int> numbers_;  // the last number of each application
  int last_node_ = 0;
  std::size_t nodes_at_start_ = 0, user_modules_at_start_ = 0;
  int core_patch_ = 1;
};

}  // namespace collect::fleet
