// SPDX-License-Identifier: Apache-2.0
// A NethSecurity firewall.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "fleet/form.h"
#include "fleet/machine.h"

namespace collect::fleet {

class Firewall final : public Machine {
 public:
  Firewall(std::uint64_t seed, std::size_t size_bytes);

  void pass_time() override;
  Event change() override;
  void write(std::string& out) override { form_.append_to(out); }
  [[nodiscard]] const std::string& fqdn() const override { return form_.value("fqdn"); }

 private:
  struct Zone {
    std::string name, device, address;
  };
  using Happening = std::optional<Event> (Firewall::*)();

  void add_zone();
  void write_zones();
  void write_tunnels();
  std::string new_section();

  std::optional<Event> change_rules();
  std::optional<Event> change_port_forwards();
  std::optional<Event> update_os();
  std::optional<Event> move_address();
  std::optional<Event> add_tunnel();
  std::optional<Event> remove_tunnel();
  std::optional<Event> renew_certificate();
  std::optional<Event> add_certificate();
  std::optional<Event> zone_appears();
  std::optional<Event> zone_vanishes();
  std::optional<Event> add_users();
  std::optional<Event> add_peer();
  std::optional<Event> toggle_snort();
  std::optional<Event> change_feeds();
  std::optional<Event> change_passphrase();
  std::optional<Event> change_fqdn();
  std::optional<Event> change_dns();
  std::optional<Event> announce_image();

  Form form_;
  std::vector<Zone> zones_;
  std::vector<std::string> tunnels_;  // their sections
  int last_zone_ = 0;
  int kernel_ = 1;
  std::size_t zones_at_start_ = 0, tunnels_at_start_ = 0;
  bool image_available_ = false;
};

}  // namespace collect::fleet
