// SPDX-License-Identifier: Apache-2.0
// What the built-in rules say, in the words that people read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/notification_rules.h"
#include "base/json.h"
#include "diff/rules.h"

namespace collect::alerts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "severity alert_type: message" of each alert that a change makes, judged by the built-in rules for changes.
std::vector<std::string> told(const std::string& path, const char* previous, const char* current,
                              const std::string& system_name = "Office") {
  static const auto rules = *NotificationRules::load("", "test.yml");
  static const auto changes = diff::Rules::builtin();
  std::optional<json::Document> before;
  std::optional<json::Document> now;
  if (previous != nullptr) before = *json::Document::parse(previous);
  if (current != nullptr) now = *json::Document::parse(current);
  using enum diff::ChangeType;
  const auto type = previous == nullptr && path != "*" ? create : current == nullptr ? delete_ : update;
  const auto verdict =
      changes.judge({type, path, path, before ? &before->root() : nullptr, now ? &now->root() : nullptr},
                    path, nullptr, {});

  NotifyState state;
  state.system.system_key = "NETH-1";
  state.system.name = system_name;
  StoredDiff diff;
  diff.type = type;
  diff.category = verdict.category;
  diff.severity = verdict.severity;
  diff.field_path = path;
  if (previous != nullptr) diff.previous_value = previous;
  if (current != nullptr) diff.current_value = current;
  state.unsent.push_back(diff);
  std::vector<std::string> texts;
  for (const NewAlert& alert : rules.decide(state).alerts)
    texts.push_back(std::string(diff::to_string(alert.severity)) + " " + alert.alert_type + ": " +
                    alert.message);
  return texts;
}

TEST(BuiltInRules, TheMachine) {
  // Of the first two the differ itself knows the severity.
  EXPECT_THAT(told("uuid", R"("a")", R"("b")"),
              ElementsAre("low machine_replaced: Another machine reports as Office now: it was reinstalled, "
                          "restored from a copy, or two machines use the same credentials"));
  EXPECT_THAT(
      told("*", nullptr, R"({"folded":4711,"by_category":{"nodes":4711}})"),
      ElementsAre("low too_many_changes: So much changed on Office at once that 4711 of the changes were "
                  "only counted; compare its latest inventories"));
  EXPECT_THAT(
      told("facts.cluster", R"({"a":1})", nullptr),
      ElementsAre("critical inventory_incomplete: Office no longer reports anything about its cluster"));
  EXPECT_THAT(
      told("facts.nodes", R"({"1":{}})", "null"),
      ElementsAre("critical inventory_incomplete: Office no longer reports anything about its nodes"));
  EXPECT_THAT(told("facts.nodes", "null", R"({"1":{}})"),
              ElementsAre("critical inventory_incomplete: Office reports again about its nodes"));
  EXPECT_THAT(told("facts", "{}", nullptr),
              ElementsAre("critical inventory_incomplete: Office no longer reports anything about itself"));
}

TEST(BuiltInRules, NodesAndModules) {
  const char* node = R"({"ui_name":"Worker","fqdn":"node2.example.org"})";
  const char* module = R"({"id":"mail1","name":"Mail","version":"1.7.12","node":"2","ui_name":""})";
  EXPECT_THAT(told("facts.nodes.2", node, nullptr),
              ElementsAre("critical node_removed: Node 2 (Worker) left the cluster Office"));
  EXPECT_THAT(told("facts.nodes.2", nullptr, node),
              ElementsAre("medium node_added: Node 2 (Worker) joined the cluster Office"));
  EXPECT_THAT(
      told("facts.cluster.leader_node_id", R"("1")", R"("2")"),
      ElementsAre("high cluster_leader_changed: Node 2 leads the cluster Office now, it was node 1 before"));
  EXPECT_THAT(told("facts.nodes.2.cluster_leader", "false", "true"), IsEmpty());
  EXPECT_THAT(told("facts.modules.mail1", module, nullptr),
              ElementsAre("high module_removed: Module mail1 (Mail) was removed from Office"));
  EXPECT_THAT(
      told("facts.modules.mail1", nullptr, module),
      ElementsAre("medium module_added: Module mail1 (Mail) was added to Office, on node 2, version 1.7.12"));
  EXPECT_THAT(told("facts.modules.mail1.version", R"("1.7.12")", R"("1.7.13")"),
              ElementsAre("low module_updated: Module mail1 of Office was updated from 1.7.12 to 1.7.13"));
  EXPECT_THAT(
      told("facts.nodes.1.version", R"("3.21.0")", R"("3.22.0")"),
      ElementsAre("medium core_updated: NethServer on node 1 of Office was updated from 3.21.0 to 3.22.0"));
  EXPECT_THAT(
      told("facts.nodes.1.distro.version", R"("9.6")", R"("9.7")"),
      ElementsAre("high os_version_changed: The operating system of node 1 of Office changed from 9.6 to "
                  "9.7"));
  EXPECT_THAT(
      told("facts.distro.version", R"("8.7.1")", R"("8.7.2")"),
      ElementsAre("high os_version_changed: The operating system of Office changed from 8.7.1 to 8.7.2"));
  EXPECT_THAT(
      told("os.name", R"("TestOS")", R"("NewOS")"),
      ElementsAre("low os_version_changed: The operating system of Office changed from TestOS to NewOS"));
}

TEST(BuiltInRules, StorageAndHardware) {
  EXPECT_THAT(told("facts.mountpoints./mnt/usb.disk", R"({"total_bytes":1})", nullptr),
              ElementsAre("high storage_gone: The storage at /mnt/usb.disk is gone from Office"));
  EXPECT_THAT(told("facts.mountpoints./mnt/data", nullptr, R"({"total_bytes":1})"),
              ElementsAre("low storage_added: Office has new storage at /mnt/data"));
  EXPECT_THAT(told("facts.nodes.1.volumesconf_mountpoint_count", "1", "2"),
              ElementsAre("medium storage_changed: Node 1 of Office has 2 additional volumes, it had 1"));
  EXPECT_THAT(told("facts.features.storage.enabled", "false", "true"),
              ElementsAre("low storage_changed: The data storage of Office was switched on"));
  EXPECT_THAT(
      told("facts.nodes.2.pci", "[{},{}]", nullptr),
      ElementsAre("high hardware_gone: Hardware is gone from node 2 of Office: node 2 / pci, it was 2 "
                  "entries"));
  EXPECT_THAT(
      told("facts.nodes.2.pci", "[{},{}]", "[{},{},{}]"),
      ElementsAre("medium hardware_changed: The PCI devices of node 2 of Office changed from 2 entries to 3 "
                  "entries"));
  EXPECT_THAT(told("facts.processors.count", R"("4")", R"("8")"),
              ElementsAre("medium hardware_changed: The processors of Office changed from 4 to 8"));
}

TEST(BuiltInRules, Security) {
  EXPECT_THAT(told("facts.features.default_password.default_password", "false", "true"),
              ElementsAre("high default_password: Office uses the default password: change it"));
  EXPECT_THAT(told("facts.features.default_password.default_password", "true", "false"),
              ElementsAre("high default_password: Office no longer uses the default password"));
  EXPECT_THAT(told("facts.features.certificates_info.acme_certificates.pending", "1", "0"),
              ElementsAre("medium certificate_changed: The certificates of Office changed: acme certificates "
                          "(pending), 1 before, 0 now"));
  EXPECT_THAT(
      told("facts.features.certificates_info.custom_certificates.count", "1", "2"),
      ElementsAre("medium certificate_changed: The certificates of Office changed: custom certificates, 1 "
                  "before, 2 now"));
  EXPECT_THAT(told("facts.modules.traefik1.acme_failed_certificates", "1", "2"),
              ElementsAre("medium certificate_changed: The certificates of Office changed: acme certificates "
                          "(failed), 1 before, 2 now"));
  EXPECT_THAT(
      told("facts.features.firewall_stats.firewall.rules.forward", "28", "29"),
      ElementsAre("medium firewall_changed: The firewall of Office changed: forward rules, 28 before, 29 "
                  "now"));
  EXPECT_THAT(
      told("facts.features.firewall_stats.firewall.nat.snat", "5", "7"),
      ElementsAre("medium firewall_changed: The firewall of Office changed: address translation rules, 5 "
                  "before, 7 now"));
  EXPECT_THAT(
      told("facts.features.firewall_stats.firewall.port_forward", "5", "7"),
      ElementsAre("medium firewall_changed: The firewall of Office changed: port forwards, 5 before, 7 now"));
  EXPECT_THAT(told("facts.features.snort.enabled", "true", "false"),
              ElementsAre("medium protection_switched: Intrusion prevention was switched off on Office"));
  EXPECT_THAT(told("facts.features.openvpn_tun.tunnels.ns_1", nullptr, R"({"mode":"tun"})"),
              ElementsAre("medium vpn_changed: The VPN of Office changed: OpenVPN ns_1 was added"));
  EXPECT_THAT(told("facts.features.wireguard.servers.wg1.peers", "3", "4"),
              ElementsAre("medium vpn_changed: The VPN of Office changed: WireGuard wg1 has 4 now, it had 3 "
                          "(wireguard / servers / wg1 / peers)"));
  EXPECT_THAT(told("facts.features.ipsec.count", "1", "2"),
              ElementsAre("medium vpn_changed: The VPN of Office changed: IPsec has 2 now, it had 1 (ipsec / "
                          "count)"));
  EXPECT_THAT(
      told("facts.cluster.admins.2fa", "1", "2"),
      ElementsAre("medium admins_changed: Office has 2 administrators with two-factor login now, 1 before"));
  EXPECT_THAT(
      told("facts.features.ui.port9090", "false", "true"),
      ElementsAre("medium admin_access_changed: The way to the administration of Office changed: port9090 "
                  "is open now"));
}

TEST(BuiltInRules, NetworkSubscriptionBackupUsers) {
  EXPECT_THAT(told("facts.default_ipv4", R"("203.0.113.219")", R"("203.0.113.62")"),
              ElementsAre("medium address_changed: The address of Office changed from 203.0.113.219 to "
                          "203.0.113.62"));
  EXPECT_THAT(
      told("facts.nodes.1.fqdn", R"("a.example.org")", R"("b.example.org")"),
      ElementsAre("medium address_changed: The host name of node 1 of Office changed from a.example.org to "
                  "b.example.org"));
  EXPECT_THAT(told("facts.features.network.zones.lab1", nullptr, R"({"name":"lab1"})"),
              ElementsAre("medium network_changed: The network of Office changed: zone lab1 was added"));
  EXPECT_THAT(
      told("facts.cluster.subscription", R"("enterprise")", R"("")"),
      ElementsAre("high subscription_changed: The subscription of Office changed from enterprise to none"));
  EXPECT_THAT(told("facts.features.subscription_status.status", R"("community")", R"("enterprise")"),
              ElementsAre("high subscription_changed: The subscription of Office changed from community to "
                          "enterprise"));
  EXPECT_THAT(
      told("facts.cluster.backup.destination_providers", R"(["aws"])", R"(["aws","smb"])"),
      ElementsAre("medium backup_changed: The backup of Office changed: destinations, aws before, aws, smb "
                  "now"));
  EXPECT_THAT(
      told("facts.cluster.backup.destination_count", "1", "2"),
      ElementsAre("medium backup_changed: The backup of Office changed: number of destinations, 1 before, 2 "
                  "now"));
  EXPECT_THAT(told("facts.features.backups.backup_passphrase", "true", nullptr),
              ElementsAre("high backup_changed: The backup of Office changed: its passphrase was removed"));
  EXPECT_THAT(
      told("facts.features.backups.passphrase_date", "1700000000", "1765000000"),
      ElementsAre("medium backup_changed: The backup of Office changed: its passphrase is another one"));
  EXPECT_THAT(told("facts.cluster.user_domains.ad.example.org", R"({"name":"ad.example.org"})", nullptr),
              ElementsAre("medium user_domain_removed: The user domain ad.example.org is gone from Office"));
}

TEST(BuiltInRules, WhateverElseIsBad) {
  EXPECT_THAT(
      told("facts.distro", R"({"name":"Rocky","version":"9.6"})", nullptr),
      ElementsAre("high important_change: Distro is gone from Office, it was name Rocky, version 9.6"));
}

TEST(BuiltInRules, EverydayNewsIsNoAlert) {
  EXPECT_THAT(told("facts.cluster.user_domains.ad.example.org.total_users", "108", "111"), IsEmpty());
  EXPECT_THAT(told("facts.modules.mail1.mailboxes_total_count", "55", "58"), IsEmpty());
  EXPECT_THAT(told("facts.kernel_version", R"("6.6.73")", R"("6.12.66")"), IsEmpty());
  EXPECT_THAT(told("facts.cluster.ui_name", R"("a")", R"("b")"), IsEmpty());
}

TEST(BuiltInRules, APathThatFlaps) {
  NotifyState state;
  state.system.name = "Office";
  for (int i = 0; i < 3; ++i) {
    StoredDiff diff;
    diff.id = DiffId{i + 1};
    diff.field_path = "facts.modules.mail1.filter.enabled";
    diff.previous_value = "true";
    diff.current_value = "false";
    diff.created_at = Time{std::chrono::hours(i + 1)};
    state.occurrences[diff.field_path].push_back(diff.created_at);
    state.unsent.push_back(diff);
  }
  const auto plan = NotificationRules::load("", "test.yml")->decide(state);
  ASSERT_EQ(plan.alerts.size(), 1U);
  EXPECT_EQ(plan.alerts[0].alert_type, "flapping");
  EXPECT_EQ(plan.alerts[0].message,
            "Office: module mail1 / filter / enabled keeps changing, 3 times within 24 hours, now to false");
}

}  // namespace
}  // namespace collect::alerts
