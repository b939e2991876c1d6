// SPDX-License-Identifier: Apache-2.0
#include "diff/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diff/default_config.h"

namespace collect::diff {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

// A verdict on a made-up difference.
Rules::Verdict judge(const Rules& rules, ChangeType type, const std::string& path, const char* from = nullptr,
                     const char* to = nullptr, const LastChanged* last_changed = nullptr) {
  std::optional<json::Document> a;
  std::optional<json::Document> b;
  if (from != nullptr) a = *json::Document::parse(from);
  if (to != nullptr) b = *json::Document::parse(to);
  return rules.judge({type, path, path, a ? &a->root() : nullptr, b ? &b->root() : nullptr}, path,
                     last_changed, kNow);
}

Rules load(std::string_view yaml) {
  auto rules = Rules::load(yaml, "test.yml");
  if (!rules) throw std::runtime_error(rules.failure().message);
  return *std::move(rules);
}

TEST(Rules, BuiltInCategoriesPutTheSpecificFirst) {
  const auto rules = Rules::builtin();
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"facts.modules.mail1.version", "modules"},
      {"facts.modules", "modules"},
      {"facts.cluster.ui_name", "cluster"},
      {"facts.cluster.backup.backup_count", "backup"},
      {"facts.features.backups.passphrase_date", "backup"},
      {"facts.cluster.admins.2fa", "security"},
      {"facts.nodes.1.ui_name", "nodes"},
      {"facts.nodes.2", "nodes"},
      {"facts.nodes.1.memory.system.used_bytes", "hardware"},
      {"facts.memory.system.used_bytes", "hardware"},
      {"facts.nodes.1.kernel_version", "os"},
      {"facts.distro.version", "os"},
      {"facts.nodes.1.default_ipv4", "network"},
      {"facts.features.network.zones.lan.ipv4", "network"},
      {"facts.features.firewall_stats.firewall.port_forward", "security"},
      {"facts.features.wireguard.enabled", "security"},
      {"facts.features.controller.enabled", "features"},
      {"FACTS.NODES.1.MEMORY", "hardware"},
      {"$schema", "system"},
  };
  for (const auto& [path, category] : expected) {
    EXPECT_EQ(judge(rules, ChangeType::update, path).category, category) << path;
  }
}

TEST(Rules, BuiltInSeverities) {
  const auto rules = Rules::builtin();
  using enum ChangeType;
  EXPECT_EQ(judge(rules, delete_, "facts.nodes.2").severity, Severity::critical);
  EXPECT_EQ(judge(rules, create, "facts.nodes.2").severity, Severity::medium);
  EXPECT_EQ(judge(rules, update, "facts.cluster").severity, Severity::critical);
  EXPECT_EQ(judge(rules, delete_, "facts.modules.mail1").severity, Severity::high);
  EXPECT_EQ(judge(rules, delete_, "facts.modules.mail1.some_fact").severity, Severity::low);
  EXPECT_EQ(judge(rules, update, "facts.nodes.1.distro.version").severity, Severity::high);
  EXPECT_EQ(judge(rules, update, "facts.kernel_version").severity, Severity::medium);
  EXPECT_EQ(judge(rules, delete_, "facts.nodes.1.pci").severity, Severity::high);
  EXPECT_EQ(judge(rules, update, "facts.nodes.1.pci").severity, Severity::medium);
  EXPECT_EQ(judge(rules, update, "facts.features.certificates_info.custom_certificates.count").severity,
            Severity::medium);
}

TEST(Rules, ANumberThatMovesFarIsMedium) {
  const auto rules = Rules::builtin();
  const auto severity = [&](const char* from, const char* to) {
    return judge(rules, ChangeType::update, "facts.some.count", from, to).severity;
  };
  EXPECT_EQ(severity("100", "120"), Severity::low);
  EXPECT_EQ(severity("100", "121"), Severity::medium);
  EXPECT_EQ(severity("100", "79"), Severity::medium);
  EXPECT_EQ(severity("0", "1"), Severity::medium);
  EXPECT_EQ(severity("-10", "-11"), Severity::low);
  EXPECT_EQ(severity("\"100\"", "\"200\""), Severity::low);
  EXPECT_EQ(severity("9007199254740993", "9007199254740992"), Severity::low);
}

TEST(Rules, SilenceDoesNotReachWhatItDoesNotName) {
  const auto rules = Rules::builtin();
  using enum ChangeType;
  EXPECT_FALSE(
      judge(rules, update, "facts.modules.mail1.filter.antivirus.memory_info.available").significant);
  EXPECT_FALSE(judge(rules, update, "facts.modules.pbx1.nethvoice_devices_by_type.physical").significant);
  EXPECT_FALSE(judge(rules, delete_, "facts.pci").significant);
  EXPECT_FALSE(judge(rules, update, "facts.mountpoints./.total_bytes").significant);
  EXPECT_TRUE(judge(rules, delete_, "facts.modules.mail1").significant);
  EXPECT_TRUE(judge(rules, create, "facts.nodes.3").significant);
  EXPECT_TRUE(judge(rules, update, "facts.nodes.1.pci").significant);
  EXPECT_TRUE(judge(rules, update, "facts.nodes.1.ui_name").significant);
  EXPECT_TRUE(judge(rules, update, "facts.image_updates_available").significant);
  EXPECT_TRUE(judge(rules, update, "facts.features.dhcp_server.dns_forwarder_enabled").significant);
}

TEST(Rules, SignificanceAsksInOrder) {
  const auto rules = load(R"(
significance:
  never_significant: ['^a\.never', 'category:(backup|os)']
  always_significant: ['^a\.', 'severity:(high|critical)', 'change_type:create']
  time_filters:
    - { path: 'timed', window_seconds: 60 }
    - { path: 'timed', window_seconds: 3600 }
  value_filters: [{ path: 'count$', threshold_percent: 5 }]
  default: false
)");
  using enum ChangeType;
  EXPECT_FALSE(judge(rules, create, "a.never").significant);
  EXPECT_EQ(judge(rules, create, "a.never").reason, "never_significant: ^a\\.never");
  EXPECT_FALSE(judge(rules, create, "facts.distro").significant);
  EXPECT_TRUE(judge(rules, update, "a.else").significant);
  EXPECT_EQ(judge(rules, delete_, "facts.nodes.1").reason, "always_significant: severity:(high|critical)");
  EXPECT_TRUE(judge(rules, create, "b").significant);
  EXPECT_FALSE(judge(rules, update, "b").significant);
  EXPECT_EQ(judge(rules, update, "b").reason, "default");
  EXPECT_EQ(rules.longest_time_filter(), std::chrono::hours{1});
}

TEST(Rules, TimeFiltersLookAtTheLastChangeOfThePath) {
  const auto rules = load("significance: { time_filters: [{ path: 'timed', window_seconds: 60 }] }");
  LastChanged last = {{"timed.a", kNow - std::chrono::seconds{59}},
                      {"timed.b", kNow - std::chrono::seconds{60}}};
  const auto significant = [&](const char* path) {
    return judge(rules, ChangeType::update, path, "1", "2", &last).significant;
  };
  EXPECT_FALSE(significant("timed.a"));
  EXPECT_TRUE(significant("timed.b"));
  EXPECT_TRUE(significant("timed.c"));
  EXPECT_TRUE(judge(rules, ChangeType::update, "timed.a").significant) << "nobody knows when it last changed";
}

TEST(Rules, ValueFiltersLookAtTheNumbers) {
  const auto rules = load("significance: { value_filters: [{ path: 'count$', threshold_percent: 5 }] }");
  const auto significant = [&](const char* from, const char* to) {
    return judge(rules, ChangeType::update, "count", from, to).significant;
  };
  EXPECT_FALSE(significant("100", "104"));
  EXPECT_TRUE(significant("100", "105"));
  EXPECT_TRUE(significant("100", "\"100\""));
  EXPECT_TRUE(significant("0", "1"));
}

TEST(Rules, TheFirstCategoryOfTheFileWins) {
  const auto rules =
      load("categories: [{ category: os, paths: 'kernel' }, { category: nodes, paths: [nodes] }]");
  EXPECT_EQ(judge(rules, ChangeType::update, "nodes.1.kernel").category, "os");
  EXPECT_EQ(judge(rules, ChangeType::update, "nodes.1").category, "nodes");
  EXPECT_EQ(judge(rules, ChangeType::update, "facts.modules").category, "system")
      << "the section is replaced whole";
}

TEST(Rules, SectionsThatAreMissingAreTheBuiltInOnes) {
  const auto rules =
      load("limits: { max_diffs_per_run: 5 }\nnotifications: [anything]\napplications: {x: y}\n");
  EXPECT_EQ(rules.limits().max_diffs_per_run, 5U);
  EXPECT_EQ(rules.limits().max_diff_depth, 64U);
  EXPECT_EQ(judge(rules, ChangeType::update, "facts.cluster.backup").category, "backup");
  EXPECT_TRUE(Rules::load("", "empty.yml").ok());
  EXPECT_TRUE(Rules::load(default_config(), "default").ok());
}

TEST(Rules, MessagesNameFileLineKeyAndWhatWasExpected) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"\nseverty: {}", "test.yml:2: unknown key 'severty', expected one of: applications,"},
      {"limits:\n  max_diff_depth: deep",
       "test.yml:2: limits.max_diff_depth: expected a whole number from 1 to 512, got 'deep'"},
      {"limits: { max_field_path_length: 501 }",
       "limits.max_field_path_length: expected a whole number from 32 to 500"},
      {"limits: { max_diffs_per_run: -1 }", "limits.max_diffs_per_run: expected a whole number"},
      {"limits: []", "test.yml:1: limits: expected a mapping ({} for none), got a list"},
      {"sets:", "test.yml:1: sets: expected a list ([] for none), got nothing"},
      {"sets: [a..b]", "sets[0]: expected keys joined by dots"},
      {"identity: [[x]]", "identity[0]: expected a text, got a list"},
      {"field_identifiers:\n  a.b: {}", "test.yml:2: field_identifiers.a.b: expected a text, got a mapping"},
      {"categories:\n  - category: modles\n    paths: [x]",
       "test.yml:2: categories[0].category: expected one of modules, cluster,"},
      {"categories: [{ category: os, paths: ['(x'] }]",
       "categories[0].paths[0]: expected a regular expression (RE2), got '(x': missing )"},
      {"categories: [{ category: os }]", "categories[0]: expected a 'category' and its 'paths'"},
      {"severity: { high: [{ paths: [x], change_type: gone }] }",
       "severity.high[0].change_type: expected one of create, update, delete, got 'gone'"},
      {"severity: { numeric_change_percent: many }",
       "severity.numeric_change_percent: expected a number of percent"},
      {"significance: { always_significant: ['severity:(high|worst)'] }",
       "significance.always_significant[0]: expected one of low, medium, high, critical, got 'worst'"},
      {"significance: { default: perhaps }", "significance.default: expected true or false, got 'perhaps'"},
      {"significance: { time_filters: [{ path: x }] }", "expected a 'path' and its 'window_seconds'"},
      {"partial_reports: [{ except: [x] }]", "partial_reports[0]: expected a 'path'"},
      {"sets: []\nsets: []", "test.yml:2: key 'sets' stands here twice"},
      {"sets: [", "test.yml:1: expected YAML:"},
      {"limits: {}\n---\nsets: []", "test.yml:2: expected one YAML document, got another behind '---'"},
      {",limits\xF0:s: !",
       "test.yml:1: expected one YAML document, got another behind '---'"},  // without end
      {"just words", "test.yml:1: expected a mapping ({} for none), got 'just words'"},
  };
  for (const auto& [yaml, message] : expected) {
    const auto rules = Rules::load(yaml, "test.yml");
    ASSERT_FALSE(rules.ok()) << yaml;
    EXPECT_EQ(rules.failure().kind, FailureKind::invalid);
    EXPECT_THAT(rules.failure().message, StartsWith("test.yml:"));
    EXPECT_THAT(rules.failure().message, HasSubstr(message));
  }
}

}  // namespace
}  // namespace collect::diff
