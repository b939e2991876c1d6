// SPDX-License-Identifier: Apache-2.0
// Applications of a NethServer 8 cluster, as its inventories list them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/dice.h"
#include "fleet/form.h"

namespace collect::fleet {

struct App {
  std::string_view id;    // "mail"
  std::string_view name;  // "Mail"
  std::string_view publisher;
  int major, minor;
  int names;               // fully qualified names that an instance answers to
  bool has_users;          // bound to the cluster's user domains
  std::string_view facts;  // members that its own collector adds, a Form's text; may be empty
};

// In the order in which inventories list them. Core ones are on every node and come and go with it.
const std::vector<App>& core_apps();
const std::vector<App>& user_apps();
const App& account_provider();

class Module {
 public:
  // `domain` is the cluster's; `user_domains` those that it may be bound to.
  Module(const App& app, int number, std::string_view node, std::string_view domain,
         std::vector<std::string> user_domains, Dice& dice);

  [[nodiscard]] const App& app() const { return *app_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] std::string version() const;
  // Where it stands among instances of the same application: the newest first.
  [[nodiscard]] int patch() const { return patch_; }
  void update();  // to the next patch version
  Form& form() { return form_; }
  [[nodiscard]] bool counts_mailboxes() const { return app_->id == "mail"; }

  void pass_time(Dice& dice);
  void shuffle_sets(Dice& dice);
  void append_to(std::string& out) const { form_.append_to(out); }

 private:
  const App* app_;
  std::string id_, node_;
  int patch_;
  std::vector<std::string> names_, user_domains_;
  Form form_;
};

}  // namespace collect::fleet
