// SPDX-License-Identifier: Apache-2.0
#include "fleet/firewall.h"

#include <fmt/format.h>

#include <algorithm>

#include "fleet/hardware.h"

namespace collect::fleet {
namespace {

constexpr std::string_view kForm =
    R"({"$schema": "https://schema.nethserver.org/facts/2022-12.json", "uuid": "@uuid@", )"
    R"("installation": "nethsecurity", "facts": {"distro": {"name": "NethSecurity", "version": "8.7.@release:0-2@"}, )"
    R"("processors": {"count": "4", "model": "@processor@", "architecture": "x86_64"}, )"
    R"("product": {"name": "@product@", "manufacturer": "@manufacturer@"}, "virtual": "@virtual@", )"
    R"("memory": {"swap": {"used_bytes": 0, "available_bytes": 0}, )"
    R"("system": {"used_bytes": @memory:300000000-900000000@, "available_bytes": 3294967296}}, "pci": [@pci@], )"
    R"("mountpoints": {"/": {"total_bytes": 326135808, "used_bytes": @root:30000000-90000000@, )"
    R"("available_bytes": 281297034}, "/tmp": {"total_bytes": 1073741824, "used_bytes": @tmp:1000000-90000000@, )"
    R"("available_bytes": 979236391}}, "features": {)"
    R"("adblock": {"enabled": true, "community": 4, "enterprise": 1}, )"
    R"("backups": {"backup_passphrase": true, "passphrase_date": @passphrase:1700000000-1760000000@}, )"
    R"("certificates_info": {"custom_certificates": {"count": @certificates:0-3@}, )"
    R"("acme_certificates": {"count": 6, "issued": @issued:1-2@, "pending": @pending:3-4@}}, )"
    R"("controller": {"enabled": true}, "database_stats": {"main": {"users": @users:3-60@}}, )"
    R"("ddns": {"enabled": false}, "default_password": {"default_password": false}, )"
    R"("dhcp_server": {"count": 2, "static_leases": 15, "dynamic_leases": @leases:10-120@, "dns_records_count": 9, )"
    R"("dns_forwarder_enabled": true}, "dpi": {"enabled": false, "rules": 0}, )"
    R"("firewall_stats": {"firewall": {"port_forward": @port_forward:2-30@, )"
    R"("nat": {"masquerade": 1, "snat": 5, "accept": 0}, "netmap": {"source": 0, "destination": 0}, )"
    R"("rules": {"forward": @forward:10-90@, "input": @input:6-20@, "output": 1}}, )"
    R"("objects": {"domains": 2, "hosts": 16, "port_forward": {"allowed_from": 1, "destination_to": 2}, )"
    R"("mwan_rules": 0, "rules": {"forward": 2, "input": 0, "output": 0}}}, )"
    R"("flashstart": {"enabled": false, "bypass": 0, "pro_plus": false, "custom_servers": 0}, )"
    R"("ha": {"enabled": false, "vips": 0}, "hotspot": {"enabled": false, "server": "", "interface": ""}, )"
    R"("ipsec": {"count": 2}, "mac_ip_binding": {"disabled": 2, "soft-binding": 0, "hard-binding": 0}, )"
    R"("multiwan": {"enabled": false, "policies": {"backup": 0, "balance": 0, "custom": 0}, "rules": 0}, )"
    R"("nathelpers": {"count": 0, "enabled": false}, "netifyd": {"enabled": false}, )"
    R"("network": {"zones": [@zones@], "interface_counts": {"vlans": @vlans@, "bridges": 1, "bonds": 0}, )"
    R"("zone_network_counts": {@zone_counts@}, "route_info": {"count_ipv6_route": 0, "count_ipv4_route": 0}, )"
    R"("configuration": {"eth1": {"type": "ethernet", "name": "eth1", "props": {"role": "red", )"
    R"("ipaddr": "198.51.100.@wan:10-250@", "netmask": "255.255.255.0", "gateway": "198.51.100.1"}}@devices@}}, )"
    R"("openvpn_rw": {"enabled": 1, "server": 1, "instances": [{"section": "ns_roadwarrior1", )"
    R"("authentication": "username_password_certificate", "user_database": "main", "mode": "tun"}]}, )"
    R"("openvpn_tun": {"client": 0, "server": @tunnel_count@, "tunnels": [@tunnels@]}, "proxy_pass": {"count": 1}, )"
    R"("qos": {"count": 1, "rules": [{"enabled": true, "upload": 85, "download": 85}]}, "snmp": {"enabled": false}, )"
    R"("snort": {"enabled": @snort@, "policy": "@snort_policy@", "oink_enabled": false, "disabled_rules": 0, )"
    R"("suppressed_rules": 0, "bypass_src_ipv4": 0, "bypass_dst_ipv4": 0}, "storage": {"enabled": false}, )"
    R"("subscription_status": {"status": "enterprise"}, )"
    R"("threat_shield": {"enabled": true, "community": 1, "enterprise": @feeds:1-4@}, )"
    R"("ui": {"luci": false, "port443": true, "port9090": true}, )"
    R"("wireguard": {"enabled": true, "servers": {"wg1": {"peers": @peers:1-30@, "routing_all_traffic": 0}}}}, )"
    R"("default_ipv4": "203.0.113.@address:10-250@", "default_ipv6": "", "dns_servers": @dns@, "fqdn": "@fqdn@", )"
    R"("image_updates_available": @image@, "kernel_version": "6.6.@kernel:60-90@", )"
    R"("package_updates_available": false, "timezone": "Europe/Rome", "uptime_seconds": @uptime:3600-8000000@}})";

// A third of what a report may have beyond its fixed text goes to its PCI devices, the rest to zones.
constexpr std::size_t kFixedBytes = 4'500;
constexpr std::size_t kBytesPerDevice = 600;

}  // namespace

std::unique_ptr<Machine> make_firewall(std::uint64_t seed, std::size_t size_bytes) {
  return std::make_unique<Firewall>(seed, size_bytes);
}

Firewall::Firewall(std::uint64_t seed, std::size_t size_bytes) : Machine(seed), form_(kForm, dice_) {
  const auto& hardware = firewall_hardware(dice_);
  const auto more = size_bytes > kFixedBytes ? size_bytes - kFixedBytes : 0;
  form_.set("uuid", invented_uuid(dice_)).set("fqdn", fmt::format("fw-{}.example.net", seed));
  form_.set("processor", hardware.processor).set("product", hardware.product);
  form_.set("manufacturer", hardware.manufacturer).set("virtual", hardware.virtual_nsec);
  form_.set("pci", joined(pci_devices(std::clamp<std::size_t>(more / kBytesPerDevice, 4, 60), dice_)));
  form_.set("snort", "false").set("image", "false").set("dns", R"(["192.0.2.53", "198.51.100.53"])");
  for (int i = 0; i < 3; ++i) tunnels_.push_back(new_section());
  write_tunnels();
  const std::vector<std::string> usual{"lan", "guest", "wan"};
  for (const auto& name : usual)
    zones_.push_back(
        {name, name == "wan" ? "" : "eth-" + name, fmt::format("192.168.{}.1", zones_.size() + 10)});
  write_zones();
  std::string text;
  for (form_.append_to(text); text.size() < size_bytes; form_.append_to(text)) {
    add_zone();
    write_zones();
    text.clear();
  }
  zones_at_start_ = zones_.size();
  tunnels_at_start_ = tunnels_.size();
}

std::string Firewall::new_section() {
  return fmt::format("ns_{:08x}", dice_.roll() >> 32U);
}

void Firewall::add_zone() {
  const auto number = ++last_zone_;
  zones_.push_back({fmt::format("lab{}", number), fmt::format("eth3.{}", 100 + number),
                    fmt::format("10.{}.{}.1", number / 250, number % 250)});
}

void Firewall::write_zones() {
  std::string zones, counts, devices;
  std::int64_t vlans = 0;
  for (const auto& zone : zones_) {
    const auto* comma = zones.empty() ? "" : ", ";
    zones += fmt::format(R"({}{{"name": "{}", "ipv4": 1, "ipv6": 0}})", comma, zone.name);
    counts += fmt::format(R"({}"{}": 1)", comma, zone.name);
    if (zone.device.empty()) continue;
    vlans += zone.device.find('.') == std::string::npos ? 0 : 1;
    devices += fmt::format(R"(, "{0}": {{"type": "ethernet", "name": "{0}", "props": {{"role": "{1}", )"
                           R"("ipaddr": "{2}", "netmask": "255.255.255.0", "gateway": null}}}})",
                           zone.device, zone.name, zone.address);
  }
  form_.set("zones", zones).set("zone_counts", counts).set("devices", devices).set("vlans", vlans);
}

void Firewall::write_tunnels() {
  std::string list;
  for (const auto& section : tunnels_)
    list += fmt::format(R"({}{{"section": "{}", "mode": "tun"}})", list.empty() ? "" : ", ", section);
  form_.set("tunnels", list).set("tunnel_count", static_cast<std::int64_t>(tunnels_.size()));
}

void Firewall::pass_time() {
  form_.add("uptime", dice_.between(84'000, 88'000));
  form_.drift("memory", 26'000'000, 100'000'000, 2'000'000'000, dice_);
  form_.drift("root", 250'000, 10'000'000, 300'000'000, dice_);
  form_.drift("tmp", 250'000, 500'000, 900'000'000, dice_);
  form_.drift("leases", 9, 0, 250, dice_);
  // The order of tunnels means nothing.
  dice_.shuffle(tunnels_);
  write_tunnels();
}

}  // namespace collect::fleet
