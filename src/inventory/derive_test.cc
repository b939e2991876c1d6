// SPDX-License-Identifier: Apache-2.0
#include "inventory/derive.h"

#include <gtest/gtest.h>

namespace collect::inventory {
namespace {

Derived derived(std::string_view text, const ApplicationRules& rules) {
  auto parsed = json::Document::parse(text);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.failure().message);
  const auto document = std::make_shared<const json::Document>(*std::move(parsed));
  Derived out = derive(document->root(), rules);
  out.document = document;
  return out;
}

Derived derived(std::string_view text) {
  static const ApplicationRules none;
  return derived(text, none);
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
  const Derived all = derived(kCluster, *rules);
  std::vector<Application> applications;
  for (const ApplicationOutline& outline : *all.applications) applications.push_back(all.spell_out(outline));
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

TEST(Derive, HowADocumentIsWrittenIsNoChange) {
  const auto document = json::Document::parse(kCluster);
  EXPECT_EQ(derived(json::to_text(document->root())).fingerprint, derived(kCluster).fingerprint);
}

// Whatever is written about an application is in its fingerprint, and nothing else.
TEST(Derive, AnApplicationsFingerprintMovesWithWhatIsWrittenAboutIt) {
  const auto rules =
      ApplicationRules::load("applications: {url_pattern: 'https://{leader_fqdn}/{node_fqdn}'}", "test");
  const auto moved = [&](const std::string& from, const std::string& to) {
    std::string other(kCluster);
    other.replace(other.find(from), from.size(), to);
    const Derived before = derived(kCluster, *rules);
    const Derived after = derived(other, *rules);
    std::string out;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& a = before.applications->at(i);
      const auto& b = after.applications->at(i);
      if (a.fingerprint != b.fingerprint) out += b.module_id + " ";
    }
    return out;
  };
  EXPECT_EQ(moved(R"("name": "Mail")", R"("name": "Post")"), "mail1 ");
  EXPECT_EQ(moved(R"("ui_name": "Second")", R"("ui_name": "Zwei")"), "mail1 ");
  EXPECT_EQ(moved(R"("schema": "ad")", R"("schema": "rfc2307")"), "mail1 ");
  EXPECT_EQ(moved("one.example.org", "uno.example.org"), "traefik1 ");
  EXPECT_EQ(moved("two.example.org", "due.example.org"), "mail1 traefik1 ");  // the leader: everybody's URL
  EXPECT_EQ(moved("192.0.2.1", "192.0.2.9"), "");

  const auto facing = ApplicationRules::load("applications: {system_modules: [traefik]}", "test");
  const auto not_facing = ApplicationRules::load("applications: {system_modules: [mail]}", "test");
  EXPECT_NE(derived(kCluster, *facing).applications->at(0).fingerprint,
            derived(kCluster, *not_facing).applications->at(0).fingerprint);
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
            "rules.yml:2: applications: unknown key 'urls', expected one of: system_modules, url_pattern");
}

TEST(ApplicationRules, AFileWithoutTheSectionKeepsTheBuiltInOne) {
  for (const char* yaml : {"", "# nothing\n", "limits: {}"}) {
    const auto rules = ApplicationRules::load(yaml, "rules.yml");
    ASSERT_TRUE(rules.ok()) << yaml;
    EXPECT_EQ(rules->url_pattern, "https://{leader_fqdn}/cluster-admin/#/apps/{module_id}");
    EXPECT_TRUE(rules->system_modules.contains("traefik"));
  }
  const auto own = ApplicationRules::load("applications: {system_modules: [mine]}", "rules.yml");
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own->url_pattern, "");
  EXPECT_EQ(own->system_modules.size(), 1U);
}

}  // namespace
}  // namespace collect::inventory
