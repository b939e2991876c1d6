// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/posted_alert.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alertmanager/exact_json.h"

namespace collect::alertmanager {
namespace {

using testing::HasSubstr;

systems::System system_a() {
  systems::System system;
  system.id = SystemId("id-a");
  system.system_key = "NETH-A";
  system.organization_id = OrganizationId("org-1");
  system.organization.type = systems::OrganizationType::owner;
  return system;
}

Result<std::vector<PostedAlert>> read(std::string_view text) {
  const auto parsed = parse_exact(text);
  EXPECT_TRUE(std::holds_alternative<json::Document>(parsed)) << text;
  return read_posted_alerts(std::get<json::Document>(parsed).root());
}
std::string why_refused(std::string_view text) {
  const auto alerts = read(text);
  EXPECT_FALSE(alerts.ok()) << text;
  return alerts ? "" : alerts.failure().message;
}
std::string passed_on(std::string_view text) {
  auto alerts = read(text);
  if (!alerts) return alerts.failure().message;
  enrich(*alerts, system_a());
  return to_json(*alerts);
}

constexpr std::string_view kOurLabels =
    R"("organization_id":"org-1","organization_type":"owner","severity":"critical","system_id":"id-a","system_key":"NETH-A"})";

TEST(PostedAlerts, AlertsOfVmalertPass) {
  EXPECT_EQ(
      passed_on(
          R"([{"startsAt":"2026-01-02T03:04:05.5Z","generatorURL":"http://vm/alert?group_id=1&alert_id=2",
                     "endsAt":"2026-01-02T04:04:06+01:00","labels":{"alertname":"DiskFull","severity":"critical"},
                     "annotations":{"summary":"Alert {{.alertname}} has severity {{.severity}}"}}])"),
      fmt::format(
          R"([{{"labels":{{"alertname":"DiskFull",{},"annotations":{{"summary":"Alert DiskFull has severity critical"}},)"
          R"("startsAt":"2026-01-02T03:04:05.500000Z","endsAt":"2026-01-02T03:04:06Z",)"
          R"("generatorURL":"http://vm/alert?group_id=1&alert_id=2"}}])",
          kOurLabels));
}

TEST(PostedAlerts, AlertsOfAWebhookPassWithoutWhatIsNotAlertmanagers) {
  EXPECT_EQ(
      passed_on(R"([{"status":"firing","fingerprint":"9f1c","labels":{"alertname":"X","severity":"critical"},
                     "annotations":{},"startsAt":"2026-01-02T03:04:05Z","endsAt":"0001-01-01T00:00:00Z",
                     "generatorURL":"","receivers":[{"name":"a"}],"Labels":{"system_key":"NETH-B"}}])"),
      fmt::format(R"([{{"labels":{{"alertname":"X",{},"startsAt":"2026-01-02T03:04:05Z",)"
                  R"("endsAt":"0001-01-01T00:00:00Z"}}])",
                  kOurLabels));
}

TEST(PostedAlerts, LabelsThatAreOursAreSetOrRemoved) {
  EXPECT_EQ(
      passed_on(R"([{"labels":{"alertname":"X","severity":"critical","system_key":"NETH-B","system_id":"b",
                     "organization_id":"o","system_name":"b","system_type":"ns8","system_fqdn":"b","system_ipv4":"1",
                     "organization_name":"b","organization_vat":"b","organization_type":"customer","empty":""}}])"),
      fmt::format(R"([{{"labels":{{"alertname":"X",{}}}])", kOurLabels));
}

TEST(PostedAlerts, AnnotationsThatAreNoTextStayAsTheyAre) {
  EXPECT_THAT(
      passed_on(R"([{"labels":{"alertname":"X"},"annotations":{"a":5,"b":["{{.alertname}}"],"c":null}}])"),
      HasSubstr(R"("annotations":{"a":5,"b":["{{.alertname}}"],"c":null})"));
}

TEST(PostedAlerts, NullIsMissingAndAnEmptyListIsOne) {
  EXPECT_EQ(passed_on("[]"), "[]");
  EXPECT_THAT(
      passed_on(
          R"([{"labels":{"a":"b"},"annotations":null,"startsAt":null,"endsAt":null,"generatorURL":null}])"),
      HasSubstr(R"("system_key":"NETH-A"}}])"));
}

TEST(PostedAlerts, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(why_refused(R"({"labels":{"a":"b"}})"), HasSubstr("expected a list of alerts, got object"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"}},7])"),
              HasSubstr("alerts[1]: expected an object, got number"));
  EXPECT_THAT(why_refused(R"([{}])"), HasSubstr("alerts[0].labels: expected an object, got nothing"));
  EXPECT_THAT(why_refused(R"([{"labels":null}])"), HasSubstr("alerts[0].labels"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":5}}])"),
              HasSubstr("alerts[0].labels.a: expected a string, got number"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a-b":"x"}}])"), HasSubstr("a-b"));
  EXPECT_THAT(why_refused(R"([{"labels":{}}])"), HasSubstr("at least one label"));
  EXPECT_THAT(why_refused(R"([{"labels":{"system_key":"NETH-A","x":""}}])"), HasSubstr("at least one label"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"annotations":[]}])"), HasSubstr("alerts[0].annotations"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"annotations":{"x y":"1"}}])"), HasSubstr("x y"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"startsAt":"yesterday"}])"),
              HasSubstr("alerts[0].startsAt"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"startsAt":7}])"), HasSubstr("got number"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"endsAt":"0001-01-01T00:00:00+01:00"}])"),
              HasSubstr("endsAt"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"endsAt":"9999-12-31T23:59:59-01:00"}])"),
              HasSubstr("endsAt"));
  EXPECT_THAT(
      why_refused(
          R"([{"labels":{"a":"b"},"startsAt":"2026-01-02T00:00:01Z","endsAt":"2026-01-02T00:00:00Z"}])"),
      HasSubstr("startsAt not to be after endsAt"));
  EXPECT_THAT(why_refused(R"([{"labels":{"a":"b"},"generatorURL":"no url"}])"), HasSubstr("generatorURL"));
  std::string many = "[";
  for (int i = 0; i < 1001; ++i) many += R"({"labels":{"a":"b"}},)";
  many.back() = ']';
  EXPECT_THAT(why_refused(many), HasSubstr("at most 1000 alerts, got 1001"));
}

}  // namespace
}  // namespace collect::alertmanager
