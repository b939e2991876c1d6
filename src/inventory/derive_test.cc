// SPDX-License-Identifier: Apache-2.0
#include "inventory/derive.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

Derived derived(std::string_view text, const ApplicationRules& rules = {}) {
  const auto document = json::Document::parse(text);
  EXPECT_TRUE(document.ok()) << (document.ok() ? "" : document.failure().message);
  return derive(document->root(), rules);
}

constexpr std::string_view kCluster = R"({
  "installation": "nethserver",
  "facts": {
    "cluster": {"ui_name": "Sede", "user_domains": [{"name": "ad.example.org", "schema": "ad"}]},
    "nodes": {
      "1": {"fqdn": "one.example.org", "version": "3.1.0", "default_ipv4": "192.0.2.1", "cluster_leader": false},
      "2": {"fqdn": "two.example.org", "version": "3.2.0", "default_ipv4": "192.0.2.2", "default_ipv6": "",
            "cluster_leader": true, "ui_name": "Second"}
    },
    "modules": [
      {"id": "mail1", "module": "mail", "name": "Mail", "version": "1.7.0", "node": "2", "source": "ghcr.io/x/mail",
       "user_domains": ["ldap.example.org", "ad.example.org"], "fqdns": ["b.example.org", "a.example.org"],
       "ui_name": "Posta"},
      {"id": "traefik1", "module": "traefik", "name": "traefik", "version": "4.0.0", "node": "1", "ui_name": ""}
    ]
  }
})";

TEST(Derive, ReadsTheLeaderOfACluster) {
  const SystemFacts facts = derived(kCluster).facts;
  EXPECT_EQ(facts.type, "ns8");
  EXPECT_EQ(facts.name, "Sede");
  EXPECT_EQ(facts.fqdn, "two.example.org");
  EXPECT_EQ(facts.version, "3.2.0");
  EXPECT_EQ(facts.ipv4_address, "192.0.2.2");
  EXPECT_EQ(facts.ipv6_address, std::nullopt);
}

TEST(Derive, ReadsApplications) {
  const auto rules = ApplicationRules::load(
      "applications: {url_pattern: 'https://{leader_fqdn}/#/apps/{module_id}', system_modules: [traefik]}",
      "test");
  ASSERT_TRUE(rules.ok());
  const auto applications = *derived(kCluster, *rules).applications;
  ASSERT_EQ(applications.size(), 2U);
  const Application& mail = applications[0];
  EXPECT_EQ(mail.module_id, "mail1");
  EXPECT_EQ(mail.instance_of, "mail");
  EXPECT_EQ(mail.display_name, "Posta");
  EXPECT_EQ(mail.node_id, 2);
  EXPECT_EQ(mail.node_label, "Second");
  EXPECT_EQ(mail.url, "https://two.example.org/#/apps/mail1");
  EXPECT_TRUE(mail.is_user_facing);
  EXPECT_FALSE(applications[1].is_user_facing);
  EXPECT_NE(mail.inventory_data.find(
                R"("user_domains":[{"name":"ad.example.org","schema":"ad"},{"name":"ldap.example.org"}])"),
            std::string::npos)
      << mail.inventory_data;
}

TEST(Derive, OrderOfSetsIsNoChange) {
  std::string other(kCluster);
  const auto swap = [&](const std::string& from, const std::string& to) {
    other.replace(other.find(from), from.size(), to);
  };
  swap(R"(["ldap.example.org", "ad.example.org"])", R"(["ad.example.org", "ldap.example.org"])");
  swap(R"(["b.example.org", "a.example.org"])", R"(["a.example.org", "b.example.org"])");
  EXPECT_EQ(derived(other).fingerprint, derived(kCluster).fingerprint);
  swap("1.7.0", "1.7.1");
  EXPECT_NE(derived(other).fingerprint, derived(kCluster).fingerprint);
}

TEST(Derive, AMissingModuleListSaysNothingAboutApplications) {
  EXPECT_FALSE(derived(R"({"installation":"nethserver","facts":{"nodes":{}}})").applications.has_value());
  EXPECT_FALSE(
      derived(R"({"installation":"nethserver","facts":{"nodes":{},"modules":[]}})").applications.has_value());
  EXPECT_FALSE(derived(R"({"installation":"nethserver","facts":{"modules":null}})").applications.has_value());
}

TEST(Derive, ReadsAFirewall) {
  const SystemFacts facts =
      derived(R"({"installation":"nethsecurity","facts":{"fqdn":"fw.example.net","default_ipv4":"203.0.113.9",
                  "default_ipv6":"2001:db8::1","distro":{"version":"8.7.1"}}})")
          .facts;
  EXPECT_EQ(facts.type, "nsec");
  EXPECT_EQ(facts.fqdn, "fw.example.net");
  EXPECT_EQ(facts.version, "8.7.1");
  EXPECT_EQ(facts.ipv4_address, "203.0.113.9");
  EXPECT_EQ(facts.ipv6_address, "2001:db8::1");
}

TEST(Derive, ReadsTheFlatForm) {
  const SystemFacts facts = derived(R"({"public_ip":"198.51.100.7","networking":{"fqdn":"h.example.net"},
                                        "os":{"type":"nethserver","release":{"full":"7.9"}}})")
                                .facts;
  EXPECT_EQ(facts.type, "nethserver");
  EXPECT_EQ(facts.fqdn, "h.example.net");
  EXPECT_EQ(facts.version, "7.9");
  EXPECT_EQ(facts.ipv4_address, "198.51.100.7");
  EXPECT_EQ(facts.ipv6_address, std::nullopt);
}

TEST(Derive, LeavesOutWhatIsNotValid) {
  const SystemFacts facts =
      derived(R"({"installation":"nethsecurity","facts":{"fqdn":"not a host","default_ipv4":"300.1.1.1",
                  "default_ipv6":7,"distro":"x"}})")
          .facts;
  EXPECT_EQ(facts.fqdn, std::nullopt);
  EXPECT_EQ(facts.ipv4_address, std::nullopt);
  EXPECT_EQ(facts.ipv6_address, std::nullopt);
  EXPECT_EQ(facts.version, std::nullopt);
}

TEST(ApplicationRules, RefuseUnknownKeysWithTheLine) {
  const auto rules = ApplicationRules::load("applications:\n  urls: x\n", "rules.yml");
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(rules.failure().message,
            "rules.yml line 2: applications.urls: expected url_pattern (a text) or system_modules (a list)");
}

}  // namespace
}  // namespace collect::inventory
