// SPDX-License-Identifier: Apache-2.0
#include "alerts/notification_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "diff/rules.h"
#include "support/source_dir.h"

namespace collect::alerts {
namespace {

using diff::ChangeType;
using diff::Severity;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

NotificationRules load(std::string_view yaml) {
  auto rules = NotificationRules::load(yaml, "test.yml");
  if (!rules) throw std::runtime_error(rules.failure().message);
  return *std::move(rules);
}

// `rules` is the text of the list of rules.
NotificationRules with_rules(const std::string& rules, const std::string& more = "") {
  return load("notifications:\n  channels: { log: {type: log}, chat: {type: log} }\n" + more + "  rules:\n" +
              rules);
}

// Why a text is refused.
std::string refused(std::string_view yaml) {
  const auto rules = NotificationRules::load(yaml, "test.yml");
  if (rules) return "it was accepted";
  EXPECT_EQ(rules.failure().kind, FailureKind::invalid);
  return rules.failure().message;
}
std::string refused_rule(const std::string& rule) {
  return refused("notifications:\n  rules:\n    - " + rule);
}

// A system whose diffs are told; ids count from 1.
class State {
 public:
  State() {
    state_.system.id = SystemId("id-1");
    state_.system.system_key = "NETH-1";
    state_.system.name = "Office";
    state_.system.type = "ns8";
    state_.system.organization_id = OrganizationId("logto-1");
    state_.system.organization = {"row-1", OrganizationId("logto-1"), "Example", {}, {}, {}, {}, {}};
  }

  State& diff(ChangeType type, const std::string& path, std::optional<std::string> previous = std::nullopt,
              std::optional<std::string> current = std::nullopt, Time at = kNow) {
    StoredDiff diff;
    diff.id = DiffId{static_cast<std::int64_t>(state_.unsent.size()) + 1};
    diff.type = type;
    diff.category = category_;
    diff.severity = severity_;
    diff.field_path = path;
    diff.previous_value = std::move(previous);
    diff.current_value = std::move(current);
    diff.created_at = at;
    state_.occurrences[path].push_back(at);
    state_.unsent.push_back(std::move(diff));
    return *this;
  }
  State& changed(const std::string& path, Time at = kNow) {
    return diff(ChangeType::update, path, "1", "2", at);
  }
  State& earlier(const std::string& path, Time at) {
    auto& times = state_.occurrences[path];
    times.insert(times.begin(), at);
    return *this;
  }
  State& open(std::int64_t id, const std::string& rule, ChangeType type, const std::string& path,
              std::optional<std::string> previous = std::nullopt) {
    OpenAlert alert;
    alert.id = AlertId{id};
    alert.rule = rule;
    alert.type = type;
    alert.field_path = path;
    alert.previous_value = std::move(previous);
    state_.open.push_back(std::move(alert));
    return *this;
  }
  // Of the diffs that follow.
  State& category(const std::string& category) {
    category_ = category;
    return *this;
  }
  State& severity(Severity severity) {
    severity_ = severity;
    return *this;
  }
  NotifyState* operator->() { return &state_; }
  operator const NotifyState&() const { return state_; }  // NOLINT: implicit on purpose

 private:
  NotifyState state_;
  std::string category_ = "nodes";
  Severity severity_ = Severity::low;
};

// "diff rule" of each alert.
std::vector<std::string> decided(const NotificationRules& rules, const NotifyState& state) {
  std::vector<std::string> texts;
  for (const NewAlert& alert : rules.decide(state).alerts)
    texts.push_back(std::to_string(static_cast<std::int64_t>(alert.diff_id)) + " " + alert.rule);
  return texts;
}

// Does a rule with this `match` hold?
bool matches(const std::string& match, const NotifyState& state) {
  return !decided(with_rules("    - { alert_type: x, match: " + match + " }"), state).empty();
}

std::string message(const std::string& template_text, const NotifyState& state,
                    const std::string& match = "{}") {
  const auto rules =
      with_rules("    - alert_type: x\n      match: " + match + "\n      message: '" + template_text + "'\n");
  return rules.decide(state).alerts.at(0).message;
}

// ---------------------------------------------------------------- reading

TEST(NotificationRules, NothingConfiguredIsTheBuiltInContent) {
  for (const char* yaml : {"", "limits: {max_diff_depth: 5}", "notifications:", "notifications: {}"}) {
    const auto rules = load(yaml);
    EXPECT_EQ(rules.grouping().window, minutes(30)) << yaml;
    EXPECT_EQ(rules.grouping().max_group_size, 10U);
    EXPECT_EQ(rules.rate_limits().max_notifications_per_hour, 50);
    EXPECT_EQ(rules.rate_limits().max_critical_per_hour, 10);
    EXPECT_EQ(rules.pattern_window(), hours(24));
    EXPECT_THAT(rules.channels(), ElementsAre(testing::Key("log")));
    EXPECT_THAT(decided(rules, State().diff(ChangeType::delete_, "facts.nodes.2", "{}")),
                ElementsAre("1 node_removed"));
  }
}

TEST(NotificationRules, EachKeyReplacesTheBuiltInOne) {
  const auto rules = load(R"(
notifications:
  grouping: { time_window_minutes: 0 }
  rate_limits: { max_critical_per_hour: 3 }
  pattern: { enabled: false }
)");
  EXPECT_EQ(rules.grouping().window, Duration::zero());
  EXPECT_EQ(rules.grouping().max_group_size, 10U);
  EXPECT_EQ(rules.rate_limits().max_notifications_per_hour, 50);
  EXPECT_EQ(rules.rate_limits().max_critical_per_hour, 3);
  EXPECT_EQ(rules.pattern_window(), Duration::zero());
  EXPECT_THAT(decided(rules, State().diff(ChangeType::delete_, "facts.nodes.2", "{}")),
              ElementsAre("1 node_removed"));
  EXPECT_THAT(
      decided(load("notifications: { rules: [] }"), State().diff(ChangeType::delete_, "facts.nodes.2", "{}")),
      IsEmpty());
}

// ---------------------------------------------------------------- backups

TEST(NotificationRules, WhatIsToldOfBackupsCanBeConfigured) {
  systems::System system;
  system.id = SystemId("id");
  system.system_key = "NETH-1";
  system.name = "fw1";
  system.organization.logto_id = OrganizationId("org-1");
  const Time last = parse_rfc3339("2026-01-02T03:04:05Z").value();
  const auto builtin = load("").backup_overdue(system, last);
  EXPECT_EQ(builtin.message, "fw1 has made no backup since 2026-01-02 03:04 UTC");
  EXPECT_EQ(builtin.severity, Severity::high);
  EXPECT_EQ(builtin.rule, "backup_overdue");
  EXPECT_EQ(builtin.organization_id, OrganizationId("org-1"));
  EXPECT_THAT(builtin.channels, ElementsAre("log"));
  EXPECT_EQ(load("").backup_corrupt(system, {"x.gpg", "y.bin"}).message,
            "fw1 has 2 backup(s) that are no longer what it sent: x.gpg, y.bin");
  const auto rules = load(R"(
notifications:
  channels: { chat: { type: webhook, url: 'http://127.0.0.1/x' } }
  backup_overdue: { severity: low, channels: [chat], message: '{{.severity}} {{.system_key}} {{.last_backup}}' }
  backup_corrupt: { message: '{{slice .system_key 99}}' }
)");
  EXPECT_EQ(rules.backup_overdue(system, last).message, "low NETH-1 2026-01-02 03:04 UTC");
  EXPECT_THAT(rules.backup_overdue(system, last).channels, ElementsAre("chat"));
  EXPECT_EQ(rules.backup_corrupt(system, {"x.gpg"}).message,
            "fw1 has backups that are no longer what it sent: x.gpg");
  EXPECT_EQ(rules.backup_corrupt(system, {"x.gpg"}).severity, Severity::critical);
  EXPECT_THAT(refused_rule("{name: backup_corrupt, alert_type: x}"), HasSubstr("is reserved"));
}

// ---------------------------------------------------------------- systems that went silent

systems::System silent_system() {
  systems::System system;
  system.id = SystemId("id");
  system.system_key = "NETH-1";
  system.name = "fw1";
  system.last_heartbeat = parse_rfc3339("2026-01-02T03:04:05Z").value();
  return system;
}

TEST(NotificationRules, ASilentSystemIsToldCriticallyToTheDefaultChannels) {
  const auto rules = load(R"(
notifications:
  channels: { chat: { type: webhook, url: 'http://127.0.0.1/x' }, tenant: { type: alertmanager } }
  default_channels: [chat, tenant]
)");
  const auto news = rules.link_failed(silent_system());
  EXPECT_EQ(news.message, "fw1 is silent, its last heartbeat came at 2026-01-02 03:04 UTC");
  EXPECT_EQ(news.severity, Severity::critical);
  // An Alertmanager hears of it as LinkFailed.
  EXPECT_THAT(rules.link_failed_channels(), ElementsAre("chat"));
  auto never = silent_system();
  never.last_heartbeat.reset();
  EXPECT_EQ(rules.link_failed(never).message, "fw1 is silent");
}

TEST(NotificationRules, WhatIsToldOfASilentSystemCanBeConfigured) {
  const auto rules = load(R"(
notifications:
  channels: { chat: { type: webhook, url: 'http://127.0.0.1/x' } }
  link_failed: { severity: high, channels: [chat], message: '{{.severity}}: {{.system_key}} {{.last_heartbeat}}' }
)");
  EXPECT_EQ(rules.link_failed(silent_system()).message, "high: NETH-1 2026-01-02 03:04 UTC");
  EXPECT_EQ(rules.link_failed(silent_system()).severity, Severity::high);
  EXPECT_THAT(rules.link_failed_channels(), ElementsAre("chat"));
  EXPECT_THAT(load("notifications: {link_failed: {channels: []}}").link_failed_channels(), IsEmpty());
  EXPECT_EQ(load("notifications: {link_failed: {message: '{{slice .system_key 99}}'}}")
                .link_failed(silent_system())
                .message,
            "fw1 is silent, its last heartbeat came at 2026-01-02 03:04 UTC");
  EXPECT_THAT(refused("notifications: {link_failed: {alert_type: x}}"),
              HasSubstr("unknown key 'alert_type'"));
}

TEST(NotificationRules, FirstRulesLeaveTheBuiltInOnesInForce) {
  const State state = State().diff(ChangeType::delete_, "facts.nodes.2", "{}");
  EXPECT_THAT(decided(load("notifications: { first_rules: [ { alert_type: mine } ] }"), state),
              ElementsAre("1 mine", "1 node_removed"));
  EXPECT_THAT(decided(load("notifications: { first_rules: [ { name: quiet, stop: true } ] }"), state),
              IsEmpty());
  EXPECT_THAT(refused("notifications: { first_rules: [ { alert_type: node_removed } ] }"),
              HasSubstr("two rules are called 'node_removed'"));
}

TEST(NotificationRules, DefaultChannelsAreThoseOfTheBuiltInRulesToo) {
  const auto rules = load(
      "notifications: { channels: { chat: { type: webhook, url: 'http://127.0.0.1:1/' } }, default_channels: "
      "chat }");
  const auto plan = rules.decide(State().diff(ChangeType::delete_, "facts.nodes.2", "{}"));
  EXPECT_THAT(plan.alerts.at(0).channels, ElementsAre("chat"));
  EXPECT_THAT(rules.channels(), ElementsAre(testing::Key("chat"), testing::Key("log")));
}

TEST(NotificationRules, WhatTheDocumentationShowsIsAccepted) {
  std::ifstream file(COLLECT_SOURCE_DIR "/docs/alerts.md");
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```yaml") examples.emplace_back();
    inside = line == "```yaml" || (inside && line != "```");
    if (inside && line != "```yaml") examples.back() += line + "\n";
  }
  EXPECT_GE(examples.size(), 8U);
  for (std::string& example : examples) {
    // The file it names is not on this machine.
    const std::string secret = ", secret_file: /etc/collect/chat.secret";
    if (const auto at = example.find(secret); at != std::string::npos) example.erase(at, secret.size());
    if (example.starts_with("    - "))
      example = "notifications:\n  channels: { admins: {type: log} }\n  first_rules:\n" + example;
    if (example.starts_with("  ")) example.insert(0, "notifications:\n");
    const auto rules = NotificationRules::load(example, "docs/alerts.md");
    EXPECT_TRUE(rules.ok()) << example << rules.failure().message;
  }
}

TEST(NotificationRules, RefusesWithLineAndReason) {
  const std::string_view bad_word = R"(limits: {}
notifications:
  rules:
    - alert_type: x
      match:
        category: [modules, machines]
)";
  EXPECT_EQ(
      refused(bad_word),
      "test.yml:6: notifications.rules[0].match.category[1]: expected one of modules, cluster, nodes, os, "
      "hardware, network, security, backup, features, system, got 'machines'");
  const std::string_view bad_template = R"(notifications:
  rules:
    - alert_type: x
    - alert_type: y
      message: 'Node {{.node left'
)";
  EXPECT_THAT(refused(bad_template),
              StartsWith("test.yml:5: notifications.rules[1].message: expected a message template: "));
  EXPECT_THAT(refused("notifications: [1"), HasSubstr("expected YAML"));
  EXPECT_THAT(refused("notifications: [1]"), HasSubstr("notifications: expected a mapping"));
  EXPECT_THAT(refused("notifications: {rule: []}"),
              HasSubstr("unknown key 'rule', expected one of: backup_corrupt"));
}

TEST(NotificationRules, RefusesBadRules) {
  EXPECT_THAT(refused_rule("{}"), HasSubstr("expected an 'alert_type', or 'stop: true'"));
  EXPECT_THAT(refused_rule("{stop: true}"), HasSubstr("expected a 'name' or an 'alert_type'"));
  EXPECT_THAT(refused_rule("{name: x, message: hello}"), HasSubstr("expected an 'alert_type'"));
  EXPECT_THAT(refused_rule("{name: x, severity: low, stop: true}"), HasSubstr("expected an 'alert_type'"));
  EXPECT_THAT(refused_rule("{alert_type: pattern}"), HasSubstr("the name 'pattern' is reserved"));
  EXPECT_THAT(refused_rule("{name: link_failed, alert_type: x}"), HasSubstr("'link_failed' is reserved"));
  EXPECT_THAT(refused_rule("{alert_type: x}\n    - {alert_type: x}"), HasSubstr("two rules are called 'x'"));
  EXPECT_THAT(refused_rule("{alert_type: x, channel: log}"), HasSubstr("unknown key 'channel'"));
  EXPECT_THAT(refused_rule("{alert_type: x, channels: [log, caht]}"),
              HasSubstr("unknown channel 'caht', expected one of: log"));
  EXPECT_THAT(refused_rule("{alert_type: x, match: {path: '(a'}}"),
              HasSubstr("expected a regular expression"));
  EXPECT_THAT(refused_rule("{alert_type: x, match: {path: []}}"), HasSubstr("expected at least one"));
  EXPECT_THAT(refused_rule("{alert_type: x, match: {paths: a}}"), HasSubstr("unknown key 'paths'"));
  EXPECT_THAT(refused_rule("{alert_type: x, match: {min_severity: bad}}"), HasSubstr("expected one of low"));
  EXPECT_THAT(refused_rule("{alert_type: x, match: {change_type: [removed]}}"),
              HasSubstr("expected one of create"));
}

TEST(NotificationRules, RefusesBadNumbers) {
  EXPECT_THAT(refused("notifications: {grouping: {max_group_size: 0}}"), HasSubstr("from 1 to"));
  EXPECT_THAT(refused("notifications: {grouping: {time_window_minutes: -1}}"), HasSubstr("from 0 to"));
  EXPECT_THAT(refused("notifications: {rate_limits: {max_critical_per_hour: 0}}"), HasSubstr("from 1 to"));
  EXPECT_THAT(refused("notifications: {pattern: {min_occurrences: 1}}"), HasSubstr("from 2 to"));
  EXPECT_THAT(refused("notifications: {pattern: {stop: true}}"), HasSubstr("unknown key 'stop'"));
  EXPECT_THAT(refused("notifications: {default_channels: [mail]}"), HasSubstr("unknown channel 'mail'"));
}

TEST(NotificationRules, KnowTheCategoriesThatTheDifferKnows) {
  for (const char* category : {"modules", "cluster", "nodes", "os", "hardware", "network", "security",
                               "backup", "features", "system"}) {
    EXPECT_TRUE(
        diff::Rules::load(std::string("categories: [{category: ") + category + ", paths: [x]}]", "t"));
    EXPECT_TRUE(
        matches(std::string("{category: ") + category + "}", State().category(category).changed("x")));
  }
}

// ---------------------------------------------------------------- matching

TEST(NotificationRules, EveryGivenKeyHasToHold) {
  const State state =
      State().category("nodes").severity(Severity::high).diff(ChangeType::delete_, "facts.nodes.2", "{}");
  EXPECT_TRUE(matches("{}", state));
  EXPECT_TRUE(matches("{category: nodes}", state));
  EXPECT_TRUE(matches("{category: [os, nodes]}", state));
  EXPECT_FALSE(matches("{category: [os]}", state));
  EXPECT_TRUE(matches("{min_severity: high}", state));
  EXPECT_TRUE(matches("{min_severity: low}", state));
  EXPECT_FALSE(matches("{min_severity: critical}", state));
  EXPECT_TRUE(matches("{change_type: [create, delete]}", state));
  EXPECT_FALSE(matches("{change_type: update}", state));
  EXPECT_TRUE(matches("{path: '^FACTS'}", state)) << "upper and lower case alike";
  EXPECT_TRUE(matches("{path: [nothing, 'nodes']}", state));
  EXPECT_FALSE(matches("{path: '^nodes'}", state));
  EXPECT_TRUE(matches("{system_type: [nsec, ns8]}", state));
  EXPECT_FALSE(matches("{system_type: nsec}", state));
  EXPECT_TRUE(matches("{category: nodes, min_severity: high, change_type: delete, path: nodes}", state));
  EXPECT_FALSE(matches("{category: nodes, min_severity: high, change_type: create, path: nodes}", state));
}

TEST(NotificationRules, AnOrganizationIsKnownByIdsAndName) {
  State state;
  state.changed("x");
  EXPECT_TRUE(matches("{organization: logto-1}", state));
  EXPECT_TRUE(matches("{organization: [other, row-1]}", state));
  EXPECT_TRUE(matches("{organization: Example}", state));
  EXPECT_FALSE(matches("{organization: Exam}", state));
  state->system.organization = {};  // an owner
  state->system.organization_id = OrganizationId("owner-1");
  EXPECT_TRUE(matches("{organization: owner-1}", state));
  EXPECT_FALSE(matches("{organization: logto-1}", state));
}

TEST(NotificationRules, ASystemWithoutATypeIsOfNone) {
  State state;
  state->system.type = std::nullopt;
  EXPECT_FALSE(matches("{system_type: ns8}", state.changed("x")));
}

TEST(NotificationRules, ASystemsTypeIsKnownInCapitalsToo) {
  State state;
  EXPECT_TRUE(matches("{system_type: NS8}", state.changed("x")));
  state->system.type = "NSec";
  EXPECT_TRUE(matches("{system_type: nsec}", state));
  EXPECT_FALSE(matches("{system_type: [ns8, nse]}", state));
}

TEST(NotificationRules, SeveralRulesMayHoldUntilOneStops) {
  const auto rules = with_rules(R"(
    - { alert_type: one }
    - { alert_type: two, match: { path: b }, stop: true }
    - { alert_type: three }
)");
  EXPECT_THAT(decided(rules, State().changed("a").changed("b")),
              ElementsAre("1 one", "1 three", "2 one", "2 two"));
}

TEST(NotificationRules, ARuleWithNothingButStopMakesNoAlertNotEvenOfAPattern) {
  const auto rules = with_rules(R"(
    - { name: quiet, match: { path: a }, stop: true }
    - { alert_type: all }
)");
  State state;
  for (int i = 0; i < 3; ++i) state.changed("a", kNow + minutes(i));
  EXPECT_THAT(decided(rules, state), IsEmpty());
}

TEST(NotificationRules, AnAlertHasWhatItsRuleSays) {
  const auto rules = with_rules(R"(
    - name: first
      alert_type: kind
      severity: critical
      channels: [chat, log, chat]
    - alert_type: second
      channels: []
    - alert_type: third
)");
  const auto plan = rules.decide(State().severity(Severity::medium).changed("x"));
  ASSERT_THAT(plan.alerts, SizeIs(3));
  EXPECT_EQ(plan.alerts[0].rule, "first");
  EXPECT_EQ(plan.alerts[0].alert_type, "kind");
  EXPECT_EQ(plan.alerts[0].severity, Severity::critical);
  EXPECT_THAT(plan.alerts[0].channels, ElementsAre("chat", "log"));
  EXPECT_EQ(plan.alerts[1].rule, "second");
  EXPECT_EQ(plan.alerts[1].severity, Severity::medium);
  EXPECT_THAT(plan.alerts[1].channels, IsEmpty());
  EXPECT_THAT(plan.alerts[2].channels, ElementsAre("log"));
}

// ---------------------------------------------------------------- messages

TEST(NotificationRules, MessagesShowTheLabelsAndNamedGroups) {
  State state;
  state.diff(ChangeType::delete_, "facts.nodes.2", R"({"ui_name":"Worker"})");
  EXPECT_EQ(message("{{.node}} {{.previous_ui_name}} of {{.system_name}}", state), "2 Worker of Office");
  EXPECT_EQ(message("{{.key}} left", state, R"({path: 'nodes\.(?P<key>.+)$'})"), "2 left");
}

TEST(NotificationRules, GroupsWithoutAPartInTheMatchAreEmpty) {
  const std::string match = R"({path: ['^a\.(?P<one>.)', '^b\.(?P<two>.)(?P<three>x)?']})";
  EXPECT_EQ(message("[{{.one}}|{{.two}}|{{.three}}]", State().changed("b.1"), match), "[|1|]");
  EXPECT_EQ(message("[{{.one}}|{{.two}}|{{.three}}]", State().changed("a.1"), match), "[1||]");
}

TEST(NotificationRules, WithoutATemplateAPlainSentenceIsSaid) {
  const auto rules = with_rules("    - { alert_type: x }");
  EXPECT_EQ(rules.decide(State().changed("facts.timezone")).alerts.at(0).message,
            "Timezone changed on Office from 1 to 2");
}

TEST(NotificationRules, ATemplateThatFailsGivesWayToThePlainSentence) {
  EXPECT_EQ(message("{{index .path 9999}}", State().changed("facts.timezone")),
            "Timezone changed on Office from 1 to 2");
  EXPECT_EQ(message("{{if .nothing}}x{{end}} ", State().changed("facts.timezone")),
            "Timezone changed on Office from 1 to 2");
}

TEST(NotificationRules, MessagesAreOneBoundedLine) {
  const State state = State().diff(ChangeType::update, "facts.x", "1", R"("two\nlines")");
  EXPECT_EQ(message("{{.current}}\n\n  there", state), "two lines there");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "{{.system_name}} is a name of some length, ";
  EXPECT_LE(message(many, state).size(), 2000U);
}

TEST(NotificationRules, ALabelIsNeverReadAsATemplate) {
  EXPECT_EQ(message("{{.current}}", State().diff(ChangeType::update, "x", "1", R"("{{.path}}")")),
            "{{.path}}");
}

// ---------------------------------------------------------------- patterns

class PatternAlerts : public testing::Test {
 protected:
  NotificationRules rules_ = load(R"(
notifications:
  rules: []
  pattern:
    min_occurrences: 3
    window_hours: 2
    alert_type: often
    severity: high
    message: '{{.path}}: {{.occurrences}} in {{.window_hours}}'
)");
};

TEST_F(PatternAlerts, APathThatChangedOftenEnough) {
  EXPECT_THAT(decided(rules_, State().earlier("x", kNow - minutes(10)).changed("x")), IsEmpty());
  const auto plan =
      rules_.decide(State().earlier("x", kNow - minutes(10)).earlier("x", kNow - minutes(20)).changed("x"));
  ASSERT_THAT(plan.alerts, SizeIs(1));
  EXPECT_EQ(plan.alerts[0].rule, kPatternRule);
  EXPECT_EQ(plan.alerts[0].alert_type, "often");
  EXPECT_EQ(plan.alerts[0].severity, Severity::high);
  EXPECT_EQ(plan.alerts[0].message, "x: 3 in 2");
  EXPECT_THAT(plan.alerts[0].channels, ElementsAre("log"));
}

TEST_F(PatternAlerts, OnlyChangesWithinTheWindowAndUpToTheDiffCount) {
  EXPECT_THAT(
      decided(rules_, State().earlier("x", kNow - hours(2)).earlier("x", kNow - hours(1)).changed("x")),
      IsEmpty());
  State state;
  state.changed("x", kNow).changed("x", kNow + minutes(1)).changed("x", kNow + minutes(2));
  EXPECT_THAT(decided(rules_, state), ElementsAre("3 pattern"));
}

TEST_F(PatternAlerts, OncePerWindow) {
  State state;
  for (int i = 0; i < 6; ++i) state.changed("x", kNow + minutes(30 * i));
  state.changed("y", kNow);
  EXPECT_THAT(decided(rules_, state), ElementsAre("3 pattern")) << "the window of the third is not over";
  state.changed("x", kNow + minutes(180));
  EXPECT_THAT(decided(rules_, state), ElementsAre("3 pattern", "8 pattern"));
}

TEST_F(PatternAlerts, NotAgainWhileTheLastOneIsRecent) {
  State state;
  state.earlier("x", kNow - minutes(10)).earlier("x", kNow - minutes(20)).changed("x");
  state->last_pattern["x"] = kNow - minutes(119);
  EXPECT_THAT(decided(rules_, state), IsEmpty());
  state->last_pattern["x"] = kNow - hours(2);
  EXPECT_THAT(decided(rules_, state), ElementsAre("1 pattern"));
}

TEST_F(PatternAlerts, AStopKeepsNoPatternBack) {
  const auto rules = with_rules("    - { alert_type: x, stop: true }");
  State state;
  for (int i = 0; i < 3; ++i) state.changed("x", kNow + minutes(i));
  EXPECT_THAT(decided(rules, state), ElementsAre("1 x", "2 x", "3 x", "3 pattern"));
}

TEST_F(PatternAlerts, WithoutAMessageSayThatItKeepsChanging) {
  const auto rules = load("notifications: { rules: [], pattern: { min_occurrences: 2 } }");
  State state;
  state.earlier("x", kNow - minutes(1)).changed("x");
  const auto plan = rules.decide(state);
  ASSERT_THAT(plan.alerts, SizeIs(1));
  EXPECT_EQ(plan.alerts[0].message, "Office: x keeps changing, 2 times within 24 hours, now to 2");
}

TEST_F(PatternAlerts, CanBeSwitchedOff) {
  State state;
  for (int i = 0; i < 9; ++i) state.changed("x", kNow + minutes(i));
  EXPECT_THAT(decided(load("notifications: { rules: [], pattern: { enabled: false } }"), state), IsEmpty());
}

// ---------------------------------------------------------------- resolving

class AutoResolve : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::int64_t> resolved(const NotifyState& state) const {
    std::vector<std::int64_t> ids;
    for (const Resolved& each : rules_.decide(state).resolved)
      ids.push_back(static_cast<std::int64_t>(each.id));
    return ids;
  }

  NotificationRules rules_ = with_rules("    - { alert_type: told, channels: [chat, log] }");
};

TEST_F(AutoResolve, CreateAndDeleteAreInverse) {
  State state;
  state.open(1, "told", ChangeType::delete_, "a", R"({"x":1})")
      .open(2, "told", ChangeType::create, "b")
      .open(3, "told", ChangeType::delete_, "c", "1")
      .diff(ChangeType::create, "a", std::nullopt, R"({"x":2})")
      .diff(ChangeType::delete_, "b", "1")
      .diff(ChangeType::delete_, "c", "1");
  EXPECT_THAT(resolved(state), ElementsAre(1, 2));
}

TEST_F(AutoResolve, AnUpdateBackToTheValueBefore) {
  State state;
  state.open(1, "told", ChangeType::update, "a", R"("other")")
      .open(2, "told", ChangeType::update, "a", R"({"x":1,"y":[2]})")
      .open(3, "told", ChangeType::update, "b", R"({"x":1,"y":[2]})")
      .diff(ChangeType::update, "a", "10e-1", R"({"y": [2.0], "x": 1})");
  EXPECT_THAT(resolved(state), ElementsAre(2)) << "as JSON values, and only where it was so before";
}

TEST_F(AutoResolve, TheSameChangeAgainIsNotItsInverse) {
  State state;
  state.open(1, "told", ChangeType::update, "a", "1").diff(ChangeType::update, "a", "1", "2");
  EXPECT_THAT(resolved(state), IsEmpty());
}

TEST_F(AutoResolve, WhateverStepsLayBetweenAndTheyWithIt) {
  State state;  // 1, 2, 3 and 1 again
  state.open(1, "told", ChangeType::update, "a", "1")
      .open(2, "told", ChangeType::update, "a", "2")
      .diff(ChangeType::update, "a", "3", "1");
  EXPECT_THAT(resolved(state), ElementsAre(1, 2));
}

TEST_F(AutoResolve, BackAtAStepTheFirstAlertStands) {
  State state;  // 1, 2, 3 and 2 again
  state.open(1, "told", ChangeType::update, "a", "1")
      .open(2, "told", ChangeType::update, "a", "2")
      .diff(ChangeType::update, "a", "3", "2");
  EXPECT_THAT(resolved(state), ElementsAre(2));
}

TEST_F(AutoResolve, WhatWasGoneMeanwhileIsBackAtItsValue) {
  State state;
  state.open(1, "told", ChangeType::update, "a", "1")
      .open(2, "told", ChangeType::delete_, "a", "2")
      .open(3, "told", ChangeType::update, "b", "1")
      .diff(ChangeType::create, "a", std::nullopt, "1")
      .diff(ChangeType::create, "b", std::nullopt, "5");
  EXPECT_THAT(resolved(state), ElementsAre(1, 2));
}

TEST_F(AutoResolve, WhatHappenedToSomethingThatCameAndWentIsOverToo) {
  State state;
  state.open(1, "told", ChangeType::update, "m.mail.old", "1")
      .open(2, "told", ChangeType::create, "m.mail")
      .open(3, "told", ChangeType::update, "m.mail.version", "1")
      .open(4, "told", ChangeType::update, "m.mailbox", "1")
      .diff(ChangeType::delete_, "m.mail", R"({"version":2})");
  EXPECT_THAT(resolved(state), ElementsAre(2, 3));
}

TEST_F(AutoResolve, AWholeThatComesOrGoesTellsOfItsParts) {
  const auto rest = [](State& state) -> State& {
    return state.open(1, "told", ChangeType::update, "m.mail.os.version", "1")
        .open(2, "told", ChangeType::update, "m.mail.name", R"("old")")
        .open(3, "told", ChangeType::delete_, "m.mail.fqdn", R"("x")")
        .open(4, "told", ChangeType::delete_, "m.mail.gone", R"("x")")
        .open(5, "told", ChangeType::create, "m.mail.extra")
        .open(6, "told", ChangeType::delete_, "m.mail.a.b", "1")
        .open(7, "told", ChangeType::delete_, "m.mail.list.0", "1");
  };
  State back;
  rest(back).diff(ChangeType::create, "m.mail", std::nullopt,
                  R"({"os":{"version":1.0},"name":"new","fqdn":"y","extra":1,"a.b":0,"list":[1]})");
  EXPECT_THAT(resolved(back), ElementsAre(1, 3, 6));
  State gone;
  rest(gone).diff(ChangeType::delete_, "m.mail", "{}");
  EXPECT_THAT(resolved(gone), ElementsAre(5));
}

TEST_F(AutoResolve, EachAlertOnce) {
  State state;
  state.open(1, "told", ChangeType::delete_, "a", "1")
      .diff(ChangeType::create, "a", std::nullopt, "1")
      .diff(ChangeType::create, "a", std::nullopt, "1");
  EXPECT_THAT(resolved(state), ElementsAre(1));
}

TEST_F(AutoResolve, TellsTheChannelsOfTheRuleAsItIsNow) {
  State state;
  state.open(1, "told", ChangeType::delete_, "a", "1")
      .open(2, "no_longer_a_rule", ChangeType::delete_, "a", "1")
      .diff(ChangeType::create, "a", std::nullopt, "1");
  const auto plan = rules_.decide(state);
  ASSERT_THAT(plan.resolved, SizeIs(2));
  EXPECT_THAT(plan.resolved[0].channels, ElementsAre("chat", "log"));
  EXPECT_THAT(plan.resolved[1].channels, IsEmpty());
}

TEST_F(AutoResolve, APatternStaysUntilSomebodyLooks) {
  State state;
  state.open(1, std::string(kPatternRule), ChangeType::update, "a", "1")
      .diff(ChangeType::update, "a", "2", "1");
  EXPECT_THAT(resolved(state), IsEmpty());
}

TEST_F(AutoResolve, AlsoByAChangeThatIsNoAlertItself) {
  const auto rules = with_rules(R"(
    - { alert_type: told, match: { change_type: delete } }
    - { name: rest, stop: true }
)");
  State state;
  state.open(1, "told", ChangeType::delete_, "a", "1").diff(ChangeType::create, "a", std::nullopt, "1");
  EXPECT_THAT(rules.decide(state).alerts, IsEmpty());
  EXPECT_THAT(rules.decide(state).resolved, SizeIs(1));
}

}  // namespace
}  // namespace collect::alerts
