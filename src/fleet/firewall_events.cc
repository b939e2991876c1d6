// SPDX-License-Identifier: Apache-2.0
// What may happen to a firewall. Each function changes the state and tells what has to be found because of
// it.
#include <fmt/format.h>

#include <array>

#include "fleet/firewall.h"

namespace collect::fleet {
namespace {

Expected updated(std::string_view path) {
  return {fmt::format("facts.{}", path), "update"};
}

Expected in_features(std::string_view path, std::string_view type = "update") {
  return {fmt::format("facts.features.{}", path), type};
}

// One up, or one down where it would grow for ever.
std::int64_t step(std::int64_t now, std::int64_t highest) {
  return now >= highest ? -1 : 1;
}

}  // namespace

Event Firewall::change() {
  // What happens often stands here often.
  static constexpr std::array<Happening, 26> kHappenings{
      &Firewall::change_rules,
      &Firewall::change_rules,
      &Firewall::change_rules,
      &Firewall::change_rules,
      &Firewall::change_port_forwards,
      &Firewall::change_port_forwards,
      &Firewall::update_os,
      &Firewall::update_os,
      &Firewall::move_address,
      &Firewall::move_address,
      &Firewall::add_tunnel,
      &Firewall::add_tunnel,
      &Firewall::remove_tunnel,
      &Firewall::renew_certificate,
      &Firewall::add_certificate,
      &Firewall::zone_appears,
      &Firewall::zone_vanishes,
      &Firewall::add_users,
      &Firewall::add_users,
      &Firewall::add_peer,
      &Firewall::toggle_snort,
      &Firewall::change_feeds,
      &Firewall::change_passphrase,
      &Firewall::change_fqdn,
      &Firewall::change_dns,
      &Firewall::announce_image,
  };
  for (;;) {
    if (auto event = (this->*dice_.pick(kHappenings))()) return *std::move(event);
  }
}

std::optional<Event> Firewall::change_rules() {
  const std::string_view chain = dice_.chance(0.7) ? "forward" : "input";
  const auto before = form_.number(chain);
  const auto after = form_.add(chain, before > 100 ? -dice_.between(1, 5) : dice_.between(1, 5));
  return Event{fmt::format("firewall rules ({}): {} → {}", chain, before, after),
               {in_features(fmt::format("firewall_stats.firewall.rules.{}", chain))}};
}

std::optional<Event> Firewall::change_port_forwards() {
  const auto before = form_.number("port_forward");
  const auto after = form_.add("port_forward", step(before, 40));
  return Event{fmt::format("port forwards: {} → {}", before, after),
               {in_features("firewall_stats.firewall.port_forward")}};
}

std::optional<Event> Firewall::update_os() {
  const auto before = form_.number("release");
  form_.set("uptime", dice_.between(300, 80'000));
  Event event{fmt::format("NethSecurity 8.7.{} → 8.7.{}", before, form_.add("release", 1)),
              {updated("distro.version"), updated("kernel_version")}};
  form_.add("kernel", dice_.between(1, 4));
  if (image_available_) event.changes.push_back(updated("image_updates_available"));
  image_available_ = false;
  form_.set("image", "false");
  return event;
}

std::optional<Event> Firewall::announce_image() {
  if (image_available_) return std::nullopt;
  image_available_ = true;
  form_.set("image", "true");
  return Event{"a new system image is available", {updated("image_updates_available")}};
}

std::optional<Event> Firewall::move_address() {
  const auto before = form_.number("address");
  const auto by = dice_.between(1, 10);
  form_.set("address", before > 240 ? before - 230 : before + by);
  const auto line = form_.number("wan");
  form_.set("wan", line > 240 ? line - 230 : line + by);
  return Event{fmt::format("WAN address 203.0.113.{} → 203.0.113.{}", before, form_.number("address")),
               {updated("default_ipv4"), in_features("network.configuration.eth1.props.ipaddr")}};
}

std::optional<Event> Firewall::add_tunnel() {
  if (tunnels_.size() >= tunnels_at_start_ + 4) return std::nullopt;
  const auto section = new_section();
  tunnels_.push_back(section);
  write_tunnels();
  return Event{fmt::format("VPN tunnel {} added", section),
               {in_features("openvpn_tun.server"), in_features("openvpn_tun.tunnels." + section, "create")}};
}

std::optional<Event> Firewall::remove_tunnel() {
  if (tunnels_.size() < 2) return std::nullopt;
  const auto section = tunnels_.back();
  tunnels_.pop_back();
  write_tunnels();
  return Event{fmt::format("VPN tunnel {} removed", section),
               {in_features("openvpn_tun.server"), in_features("openvpn_tun.tunnels." + section, "delete")}};
}

std::optional<Event> Firewall::renew_certificate() {
  const auto by = form_.number("pending") > 0 ? 1 : -1;
  form_.add("pending", -by);
  form_.add("issued", by);
  return Event{by > 0 ? "a certificate was issued" : "a certificate is up for renewal",
               {in_features("certificates_info.acme_certificates.issued"),
                in_features("certificates_info.acme_certificates.pending")}};
}

std::optional<Event> Firewall::add_certificate() {
  const auto before = form_.number("certificates");
  const auto after = form_.add("certificates", step(before, 6));
  return Event{fmt::format("own certificates: {} → {}", before, after),
               {in_features("certificates_info.custom_certificates.count")}};
}

std::optional<Event> Firewall::zone_appears() {
  if (zones_.size() >= zones_at_start_ + 3) return std::nullopt;
  add_zone();
  write_zones();
  const auto& zone = zones_.back();
  return Event{
      fmt::format("zone {} added on {}", zone.name, zone.device),
      {in_features("network.zones." + zone.name, "create"), in_features("network.interface_counts.vlans"),
       in_features("network.zone_network_counts." + zone.name, "create"),
       in_features("network.configuration." + zone.device, "create")}};
}

std::optional<Event> Firewall::zone_vanishes() {
  if (zones_.size() <= zones_at_start_) return std::nullopt;
  const auto zone = zones_.back();
  zones_.pop_back();
  write_zones();
  return Event{
      fmt::format("zone {} removed", zone.name),
      {in_features("network.zones." + zone.name, "delete"), in_features("network.interface_counts.vlans"),
       in_features("network.zone_network_counts." + zone.name, "delete"),
       in_features("network.configuration." + zone.device, "delete")}};
}

std::optional<Event> Firewall::add_users() {
  const auto count = dice_.between(1, 3);
  form_.add("users", count);
  return Event{fmt::format("{} new VPN {}", count, count == 1 ? "user" : "users"),
               {in_features("database_stats.main.users")}};
}

std::optional<Event> Firewall::add_peer() {
  const auto before = form_.number("peers");
  const auto after = form_.add("peers", step(before, 60));
  return Event{fmt::format("WireGuard peers: {} → {}", before, after),
               {in_features("wireguard.servers.wg1.peers")}};
}

std::optional<Event> Firewall::toggle_snort() {
  const bool on = form_.value("snort") == "true";
  form_.set("snort", on ? "false" : "true").set("snort_policy", on ? "" : "connectivity");
  return Event{fmt::format("intrusion prevention switched {}", on ? "off" : "on"),
               {in_features("snort.enabled"), in_features("snort.policy")}};
}

std::optional<Event> Firewall::change_feeds() {
  const auto before = form_.number("feeds");
  const auto after = form_.add("feeds", step(before, 9));
  return Event{fmt::format("threat feeds: {} → {}", before, after),
               {in_features("threat_shield.enterprise")}};
}

std::optional<Event> Firewall::change_passphrase() {
  form_.add("passphrase", dice_.between(3'600, 900'000));
  return Event{"backup passphrase changed", {in_features("backups.passphrase_date")}};
}

std::optional<Event> Firewall::change_fqdn() {
  const auto before = fqdn();
  auto name = before;
  while (name == before) name = fmt::format("gw-{}.example.net", dice_.between(100, 999));
  form_.set("fqdn", name);
  return Event{fmt::format("now called {}", name), {updated("fqdn")}};
}

std::optional<Event> Firewall::change_dns() {
  const auto before = form_.value("dns");
  auto list = before;
  while (list == before) list = fmt::format(R"(["192.0.2.{}", "198.51.100.53"])", dice_.between(1, 250));
  form_.set("dns", list);
  return Event{"DNS servers changed", {updated("dns_servers")}};
}

}  // namespace collect::fleet
