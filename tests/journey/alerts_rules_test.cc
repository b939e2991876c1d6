// SPDX-License-Identifier: Apache-2.0
// What an operator does with alerts: writes rules and has them read again, looks, resolves, tries a channel.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>

#include "journey/alerts_seen.h"
#include "journey/appliance.h"

namespace collect::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Mood = WebhookReceiver::Mood;
using namespace std::chrono_literals;

// Collect's exit codes.
constexpr int kUsage = 2;
constexpr int kNotFound = 3;
constexpr int kUnavailable = 5;
const std::string kNoPattern = "  pattern: { enabled: false }\n";

std::vector<std::string> types_of(const std::vector<AlertRow>& alerts) {
  std::vector<std::string> types;
  for (const AlertRow& alert : alerts) types.push_back(alert.type);
  return types;
}

class Alerts : public OnEachEngine {
 protected:
  void write_config(const std::string& keys) {
    write_text(service_.folder() / "config.yml", config_with(receiver_, kNothingHeldBack + keys));
  }
  void start(const std::string& keys) {
    write_config(keys);
    service_.start();
    box_ = std::make_unique<Appliance>(service_, service_.new_system("rl1"));
  }
  // Reports this, and waits until its changes are alerts.
  void report(const std::string& label, std::size_t padding = 0) {
    box_->report(labelled_inventory(label, padding));
    ASSERT_TRUE(wait_notified(service_, service_.diffs(box_->login()).size()));
  }
  bool logged(const std::string& words) {
    return eventually([&] { return service_.log().find(words) != std::string::npos; });
  }
  int exit_of(const std::vector<std::string>& words) { return service_.cli(words).exit_code; }
  void expect_all_told() {
    const auto news = news_of(listed_alerts(service_));
    EXPECT_TRUE(wait_told(receiver_, news, 30s));
    expect_each_told_once(receiver_, news);
  }

  WebhookReceiver receiver_{"a secret of thirty-two characters"};
  Service service_{GetParam(), {{"LOG_LEVEL", "info"}}};
  std::unique_ptr<Appliance> box_;
};
COLLECT_ON_EACH_ENGINE(Alerts);

TEST_P(Alerts, BadRulesAreRefusedAndGoodOnesTakeEffect) {
  start(kNoPattern + "  rules:\n    - alert_type: before\n      match: { path: label }\n");
  report("a");
  report("b");
  EXPECT_THAT(types_of(listed_alerts(service_)), ElementsAre("before"));

  // channels, hook, default_channels, grouping, rate_limits, pattern, rules: the path stands in line 10.
  write_config(kNoPattern + "  rules:\n    - alert_type: broken\n      match: { path: 'la(bel' }\n");
  service_.signal(SIGHUP);
  ASSERT_TRUE(logged("config_refused")) << service_.log();
  EXPECT_THAT(service_.log(), AllOf(HasSubstr("config.yml:10: "), HasSubstr("notifications.rules"),
                                    HasSubstr("expected a regular expression (RE2), got 'la(bel'")));
  const auto checked = service_.cli({"config", "check"});
  EXPECT_EQ(checked.exit_code, kUsage);
  EXPECT_THAT(checked.err, HasSubstr("config.yml:10: "));
  report("c");
  EXPECT_THAT(types_of(listed_alerts(service_)), ElementsAre("before", "before"));

  write_config(kNoPattern + "  rules:\n    - alert_type: after\n      match: { path: '^facts\\.label$' }\n");
  service_.signal(SIGHUP);
  ASSERT_TRUE(logged("config_loaded")) << service_.log();
  report("d");
  EXPECT_THAT(types_of(listed_alerts(service_)), ElementsAre("before", "before", "after"));
  expect_all_told();
}

TEST_P(Alerts, AreResolvedByTheInverseChangeAndByHand) {
  start(kNoPattern + "  rules:\n    - alert_type: label_changed\n");
  report("a");
  report("b");
  ASSERT_THAT(listed_alerts(service_, {"--open"}), SizeIs(1));
  EXPECT_TRUE(wait_told(receiver_, news_of(listed_alerts(service_)), 10s));
  report("a");
  auto alerts = listed_alerts(service_);
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_TRUE(alerts[0].resolved);
  EXPECT_FALSE(alerts[1].resolved);

  const std::string id = std::to_string(alerts[1].id);
  const auto shown = parsed(service_.cli_output({"alerts", "show", id, "--json"}));
  EXPECT_EQ(text_of(shown.root(), "message"), alerts[1].message);
  EXPECT_EQ(text_of(shown.root(), "field_path"), "facts.label");
  EXPECT_EQ(text_of(shown.root(), "resolved_at"), "null");
  EXPECT_EQ(text_of(shown.root(), "diff_type"), "update");
  EXPECT_EQ(text_of(shown.root(), "previous_value"), "b");
  EXPECT_EQ(text_of(shown.root(), "current_value"), "a");
  EXPECT_EQ(service_.cli_output({"alerts", "resolve", id, "--json"}),
            "{\"id\":" + id + ",\"is_resolved\":true,\"was_open\":true}\n");
  EXPECT_EQ(service_.cli_output({"alerts", "resolve", id, "--json"}),
            "{\"id\":" + id + ",\"is_resolved\":true,\"was_open\":false}\n");
  EXPECT_THAT(service_.cli_output({"alerts", "show", id}),
              AllOf(HasSubstr(alerts[1].message), HasSubstr("resolved "), HasSubstr("before      \"b\"\n"),
                    HasSubstr("after       \"a\"\n")));
  EXPECT_THAT(listed_alerts(service_, {"--open"}), SizeIs(0));
  EXPECT_THAT(listed_alerts(service_, {"--resolved"}), SizeIs(2));
  expect_all_told();

  EXPECT_EQ(exit_of({"alerts", "show", "999999"}), kNotFound);
  EXPECT_EQ(exit_of({"alerts", "resolve", "999999"}), kNotFound);
  EXPECT_EQ(exit_of({"alerts", "resolve"}), kUsage);
  EXPECT_EQ(exit_of({"alerts", "show", "no number"}), kUsage);
}

TEST_P(Alerts, AreResolvedWhenTheValueIsBackWhateverLayBetween) {
  start(kNoPattern + "  rules:\n    - alert_type: label_changed\n");
  for (const char* label : {"a", "b", "c", "a"}) report(label);
  const auto alerts = listed_alerts(service_);
  ASSERT_THAT(alerts, SizeIs(3));
  EXPECT_TRUE(alerts[0].resolved) << "a to b";
  EXPECT_TRUE(alerts[1].resolved) << "b to c, a step of what was undone";
  EXPECT_FALSE(alerts[2].resolved) << "c to a";
  expect_all_told();
}

TEST_P(Alerts, AnAlertmanagerChannelNeedsAnAlertmanager) {
  start(kNoPattern);
  const std::string channel = "notifications:\n  channels: { tenant: { type: alertmanager } }\n";
  write_text(service_.folder() / "config.yml", channel);
  const auto checked = service_.cli({"config", "check"});
  EXPECT_EQ(checked.exit_code, kUsage);
  EXPECT_THAT(checked.err,
              AllOf(HasSubstr("config.yml"), HasSubstr("channel 'tenant'"), HasSubstr("MIMIR_URL")));
  service_.signal(SIGHUP);
  ASSERT_TRUE(logged("config_refused")) << service_.log();
  EXPECT_THAT(service_.log(), HasSubstr("channel 'tenant'"));
  EXPECT_EQ(service_.cli({"serve"}).exit_code, kUsage);
  service_.settings()["MIMIR_URL"] = "http://127.0.0.1:9";
  EXPECT_EQ(service_.cli({"config", "check"}).exit_code, 0);
}

TEST_P(Alerts, AreListedByWhatIsAskedFor) {
  start(kNoPattern +
        "  rules:\n"
        "    - { alert_type: bad, severity: critical, match: { path: label } }\n"
        "    - { alert_type: dull, severity: low, match: { path: label } }\n");
  report("a");
  report("b");
  EXPECT_THAT(types_of(listed_alerts(service_)), ElementsAre("bad", "dull"));
  EXPECT_THAT(types_of(listed_alerts(service_, {"--type", "dull"})), ElementsAre("dull"));
  EXPECT_THAT(types_of(listed_alerts(service_, {"--severity", "high"})), ElementsAre("bad"));
  EXPECT_THAT(listed_alerts(service_, {"--system", box_->login().key}), SizeIs(2));
  EXPECT_THAT(listed_alerts(service_, {"--system", box_->login().id}), SizeIs(2));
  EXPECT_THAT(listed_alerts(service_, {"--org", service_.organization()}), SizeIs(2));
  EXPECT_EQ(service_.cli({"alerts", "list", "--org", "another"}).exit_code, 3);
  EXPECT_THAT(listed_alerts(service_, {"--since", "1h"}), SizeIs(2));
  const auto first = parsed(service_.cli_output({"alerts", "list", "--limit", "1", "--json"}));
  EXPECT_THAT(first.root().elements, SizeIs(1));
  EXPECT_EQ(text_of(first.root().elements[0], "alert_type"), "dull") << "newest first";
  EXPECT_THAT(service_.cli_output({"alerts", "list"}), AllOf(HasSubstr("rl1"), HasSubstr("critical")));
  EXPECT_EQ(exit_of({"alerts", "list", "--system", "NETH-unknown"}), kNotFound);
  EXPECT_EQ(exit_of({"alerts", "list", "--severity", "awful"}), kUsage);
  EXPECT_EQ(exit_of({"alerts", "list", "--since", "yesterday"}), kUsage);
  EXPECT_EQ(exit_of({"alerts", "list", "--open", "--resolved"}), kUsage);
  expect_all_told();
}

// The text of a message that lists but some of its alerts names the command that lists all of them.
TEST_P(Alerts, AreListedAsAMessageSays) {
  write_text(
      service_.folder() / "config.yml",
      config_with(receiver_, kNoPattern + "  grouping: { time_window_minutes: 0, max_group_size: 1 }\n" +
                                 "  rules:\n    - alert_type: any_change\n"));
  service_.start();
  box_ = std::make_unique<Appliance>(service_, service_.new_system("rl1"));
  report("a");
  report("b", 5);
  ASSERT_TRUE(eventually([&] { return receiver_.count() == 1; }));
  const auto body = parsed(receiver_.messages()[0].body);
  EXPECT_EQ(text_of(body.root(), "more"), "1");
  EXPECT_THAT(alerts_as_told(service_, text_of(body.root(), "text")), SizeIs(2));

  // A second system within minutes is a crowd already.
  const std::string first_box = box_->login().key;
  box_ = std::make_unique<Appliance>(service_, service_.new_system("rl2"));
  box_->report(labelled_inventory("a"));
  box_->report(labelled_inventory("b", 5));
  ASSERT_TRUE(eventually([&] { return receiver_.count() == 2; }, 60s)) << "gathered for some seconds";
  const auto summary = parsed(receiver_.messages()[1].body);
  EXPECT_EQ(text_of(summary.root(), "kind"), "summary");
  EXPECT_THAT(text_of(summary.root(), "text"), testing::StartsWith("2 alerts about rl2 ("));
  EXPECT_EQ(text_of(summary.root(), "more"), "1");
  const auto listed = alerts_as_told(service_, text_of(summary.root(), "text"));
  EXPECT_THAT(listed, SizeIs(2)) << "of " << first_box << " was told before";
  for (const AlertRow& alert : listed) EXPECT_EQ(alert.system_key, box_->login().key);
}

// Nothing but `channels` and `default_channels`: the rules that are built in.
TEST_P(Alerts, TellOfWhatKeepsChanging) {
  start("");
  for (const char* label : {"a", "b", "c", "d", "e"}) report(label);
  const auto alerts = listed_alerts(service_);
  ASSERT_THAT(alerts, SizeIs(1)) << "once, at the third change of four";
  EXPECT_EQ(alerts[0].rule, "pattern");
  EXPECT_EQ(alerts[0].type, "flapping");
  EXPECT_EQ(alerts[0].severity, "medium");
  EXPECT_EQ(alerts[0].message, "rl1: label keeps changing, 3 times within 24 hours, now to d");
  expect_all_told();
}

TEST_P(Alerts, ChannelsAreTriedAndDeliveriesShown) {
  start("  rules:\n    - alert_type: label_changed\n");
  const auto answer = parsed(service_.cli_output({"alerts", "test", "hook", "--json"}));
  EXPECT_EQ(text_of(answer.root(), "channel"), "hook");
  EXPECT_THAT(text_of(answer.root(), "answer"), HasSubstr("200"));
  ASSERT_EQ(receiver_.count(), 1U);
  EXPECT_EQ(text_of(parsed(receiver_.messages()[0].body).root(), "kind"), "test");
  EXPECT_EQ(exit_of({"alerts", "test", "log"}), 0);
  EXPECT_EQ(exit_of({"alerts", "test", "no_such_channel"}), kNotFound);
  EXPECT_EQ(exit_of({"alerts", "retry"}), kUsage);
  EXPECT_EQ(exit_of({"alerts", "retry", "01900000-0000-7000-8000-000000000000"}), kNotFound);
  EXPECT_EQ(service_.cli_output({"alerts", "retry", "--all", "--json"}), "{\"retried\":0}\n");
  EXPECT_EQ(exit_of({"alerts", "deliveries", "--state", "lost"}), kUsage);

  receiver_.become(Mood::fails);
  const auto refused = service_.cli({"alerts", "test", "hook"});
  EXPECT_EQ(refused.exit_code, kUnavailable);
  EXPECT_THAT(refused.err, HasSubstr("500"));
  report("a");
  report("b");
  const auto deliveries = [&](const std::string& state) {
    return parsed(service_.cli_output({"alerts", "deliveries", "--state", state, "--json"}));
  };
  const auto failed_once = [&] {
    const auto pending = deliveries("pending");
    return pending.root().elements.size() == 1 && text_of(pending.root().elements[0], "attempts") == "1";
  };
  ASSERT_TRUE(eventually(failed_once)) << service_.cli_output({"alerts", "deliveries"});
  const auto pending = deliveries("pending");
  const json::Value& delivery = pending.root().elements[0];
  EXPECT_EQ(text_of(delivery, "channel"), "hook");
  EXPECT_EQ(text_of(delivery, "system_id"), box_->login().id);
  EXPECT_EQ(text_of(delivery, "organization_id"), service_.organization());
  EXPECT_EQ(text_of(delivery, "notifications"), "1");
  EXPECT_THAT(text_of(delivery, "error"), HasSubstr("500"));
  EXPECT_THAT(service_.cli_output({"alerts", "deliveries"}), AllOf(HasSubstr("hook"), HasSubstr("pending")));
  receiver_.become(Mood::takes);
  EXPECT_TRUE(wait_told(receiver_, news_of(listed_alerts(service_)), 30s));
  EXPECT_THAT(deliveries("pending").root().elements, SizeIs(0));
  EXPECT_THAT(deliveries("sent").root().elements, SizeIs(1));
}

}  // namespace
}  // namespace collect::test
