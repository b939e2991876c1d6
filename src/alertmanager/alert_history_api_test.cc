// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/alert_history_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace collect::alertmanager {
namespace {

using testing::HasSubstr;

const Time kNow = *parse_rfc3339("2026-01-02T05:00:00Z");
const std::string kSecret = "0123456789abcdef0123456789abcdef";

// As Alertmanager 0.25 posts it.
std::string webhook(std::string_view alerts) {
  return R"({"receiver":"collect","status":"resolved","alerts":[)" + std::string(alerts) +
         R"(],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"http://am","version":"4",)"
         R"("groupKey":"{}:{}","truncatedAlerts":0})";
}
std::string alert(std::string_view name, std::string_view status = "resolved") {
  return R"({"status":")" + std::string(status) + R"(","labels":{"alertname":")" + std::string(name) +
         R"(","severity":"critical","system_key":"NETH-A"},"annotations":{"summary":"full"},)"
         R"("startsAt":"2026-01-02T03:04:05.678Z","endsAt":"2026-01-02T04:04:05Z","generatorURL":"","fingerprint":"00ff"})";
}

class FakeHistory final : public AlertHistoryStore {
 public:
  Result<void> write(std::span<const HistoryEntry> entries, Time now) override {
    if (failure) return *failure;
    if (std::any_of(entries.begin(), entries.end(),
                    [](const HistoryEntry& entry) { return entry.alertname.size() > 255; }))
      return invalid("a value is longer than the table takes");
    for (const auto& entry : entries) written.push_back(entry);
    at = now;
    return {};
  }
  std::vector<HistoryEntry> written;
  Time at{};
  std::optional<Failure> failure;
};

class AlertHistoryApiTest : public testing::Test {
 protected:
  net::Response post(std::string body, const std::string& authorization) {
    net::Request request;
    request.method = net::Method::post;
    if (!authorization.empty()) request.headers.add("Authorization", authorization);
    request.body = std::move(body);
    auto admission = endpoint.admit(request);
    if (auto* answer = std::get_if<net::Response>(&admission)) return *answer;
    return std::get<net::Accepted>(admission).handle(std::move(request));
  }
  net::Response post(std::string body) { return post(std::move(body), "Bearer " + kSecret); }

  FakeHistory store;
  ManualClock clock{kNow};
  net::Endpoint endpoint = alert_history_endpoint(store, clock, kSecret);
};

TEST_F(AlertHistoryApiTest, ResolvedAlertsAreKept) {
  const auto answer =
      post(webhook(alert("DiskFull") + "," + alert("CpuHot", "firing") + "," + alert("LinkFailed")));
  EXPECT_EQ(answer.status, 204);
  ASSERT_EQ(store.written.size(), 2U);
  const auto& entry = store.written[0];
  EXPECT_EQ(entry.system_key, "NETH-A");
  EXPECT_EQ(entry.alertname, "DiskFull");
  EXPECT_EQ(entry.severity, "critical");
  EXPECT_EQ(entry.status, "resolved");
  EXPECT_EQ(entry.fingerprint, "00ff");
  EXPECT_EQ(to_rfc3339(entry.starts_at), "2026-01-02T03:04:05.678000Z");
  EXPECT_EQ(to_rfc3339(*entry.ends_at), "2026-01-02T04:04:05.000000Z");
  EXPECT_EQ(entry.summary, "full");
  EXPECT_EQ(entry.labels, R"({"alertname":"DiskFull","severity":"critical","system_key":"NETH-A"})");
  EXPECT_EQ(entry.annotations, R"({"summary":"full"})");
  EXPECT_EQ(entry.receiver, "collect");
  EXPECT_EQ(entry.same, HistoryEntry::Same::resolution);
  EXPECT_EQ(store.written[1].same, HistoryEntry::Same::outage);
  EXPECT_EQ(store.at, kNow);
}

TEST_F(AlertHistoryApiTest, AlertsOfNoSystemArePassedOver) {
  EXPECT_EQ(
      post(webhook(R"({"status":"resolved","labels":{"alertname":"X"},"startsAt":"2026-01-02T03:04:05Z"})"))
          .status,
      204);
  EXPECT_EQ(post(webhook("")).status, 204);
  EXPECT_EQ(store.written.size(), 0U);
}

TEST_F(AlertHistoryApiTest, OnlyWhoKnowsTheSecretMayPost) {
  for (const std::string& authorization : std::vector<std::string>{
           std::string(), "Bearer", "Bearer ", "Bearer x", kSecret, "Basic " + kSecret,
           "Bearer " + kSecret + "x", "Bearer  " + kSecret, "Bearer " + kSecret.substr(1)}) {
    const auto answer = post(webhook(alert("X")), authorization);
    EXPECT_EQ(answer.status, 401) << authorization;
    EXPECT_EQ(answer.headers.at(0).name, "WWW-Authenticate");
  }
  EXPECT_EQ(store.written.size(), 0U);
  EXPECT_EQ(post(webhook(alert("X")), "bearer " + kSecret).status, 204);
}

TEST_F(AlertHistoryApiTest, WithoutASecretNothingIsTaken) {
  endpoint = alert_history_endpoint(store, clock, "");
  for (const std::string authorization : {"", "Bearer ", "Bearer x"}) {
    const auto answer = post(webhook(alert("X")), authorization);
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("ALERTING_HISTORY_WEBHOOK_SECRET"));
  }
}

TEST_F(AlertHistoryApiTest, WhatIsNoWebhookIsRefused) {
  for (const std::string& body :
       {std::string(""), std::string("[]"), std::string("{}"), std::string(R"({"alerts":{}})"), webhook("7"),
        webhook(R"({"status":"resolved","labels":[]})"), webhook(R"({"labels":{"a":"b"}})"),
        webhook(R"({"status":"resolved","labels":{"system_key":"A"},"startsAt":"x"})"),
        webhook(R"({"status":"resolved","labels":{"system_key":7}})"),
        webhook(R"({"status":"resolved","labels":{"system_key":"A"}})"), webhook(alert("X")) + "x"}) {
    EXPECT_EQ(post(body).status, 400) << body;
  }
  std::string many;
  for (std::size_t i = 0; i <= kMostHistoryAlerts; ++i) many += alert("X") + ",";
  many.pop_back();
  EXPECT_THAT(post(webhook(many)).body, HasSubstr("at most 1000 alerts, got 1001"));
  EXPECT_EQ(store.written.size(), 0U);
}

TEST_F(AlertHistoryApiTest, AnAlertThatCannotBeStoredTakesNoOtherWithIt) {
  const std::string long_one = alert(std::string(256, 'x'));
  EXPECT_EQ(post(webhook(alert("A") + "," + long_one + "," + alert("B") + "," + alert("C") + "," + long_one))
                .status,
            204);
  std::vector<std::string> names;
  for (const auto& entry : store.written) names.push_back(entry.alertname);
  EXPECT_THAT(names, testing::ElementsAre("A", "B", "C"));
  EXPECT_EQ(post(webhook(long_one)).status, 204);
}

TEST_F(AlertHistoryApiTest, AStoreThatIsAwayIsTriedAgain) {
  store.failure = unavailable("away at db.example.org");
  const auto answer = post(webhook(alert("X")));
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("example.org")));
  EXPECT_EQ(answer.headers.at(0).name, "Retry-After");
}

}  // namespace
}  // namespace collect::alertmanager
