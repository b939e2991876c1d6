// SPDX-License-Identifier: Apache-2.0
// The log channel, and the test delivery that every channel can send.
#include "alerts/channels/make_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/channels/peer_for_test.h"
#include "alerts/delivery_for_test.h"
#include "base/json.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using diff::Severity;
using testing::HasSubstr;

class MakeChannelTest : public testing::Test {
 protected:
  std::vector<std::string> logged(const Delivery& delivery) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(make_channel(LogChannelConfig{}, 10, surroundings)->send(delivery).ok());
    std::istringstream text(testing::internal::GetCapturedStderr());
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  Peer peer{"/alertmanager/api/v2/alerts"};
  ManualClock clock{kTestTime};
  ChannelSurroundings surroundings{peer.origin(), clock};
};

TEST_F(MakeChannelTest, TheLogHasALineForEachAlert) {
  const auto lines = logged(test_delivery_of(
      {test_item(1, Severity::critical, "Node 1\nleft"), resolved(test_item(2, Severity::low, "m"))}));
  ASSERT_EQ(lines.size(), 2U);
  const auto line = json::Document::parse(lines[0]);
  ASSERT_TRUE(line.ok()) << lines[0];
  EXPECT_EQ(line->root().find("message")->text, "Node 1 left");
  EXPECT_EQ(line->root().find("severity")->text, "critical");
  EXPECT_EQ(line->root().find("system_key")->text, "NETH-rl1");
  EXPECT_EQ(line->root().find("alert_id")->text, "1");
  EXPECT_THAT(lines[1], HasSubstr("\"status\":\"resolved\""));
}

TEST_F(MakeChannelTest, TheLogHasOneLineForASummary) {
  const auto lines = logged(test_storm(1000));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], HasSubstr("alerts_summary"));
  EXPECT_THAT(lines[0], HasSubstr("\"systems\":1000"));
  EXPECT_THAT(lines[0], HasSubstr("\"critical\":10"));
}

TEST_F(MakeChannelTest, ATestIsSeenToBeOne) {
  Peer hook("/hook");
  const std::map<std::string, ChannelConfig> channels = {
      {"hook", WebhookChannelConfig{.url = hook.origin() + "/hook"}}, {"mimir", AlertmanagerChannelConfig{}}};
  EXPECT_EQ(*send_test(channels, "hook", std::nullopt, surroundings), "HTTP 200");
  EXPECT_THAT(hook.requests().at(0).body, HasSubstr("\"kind\":\"test\""));
  hook.answer_with(404, "no such hook");
  const auto refused = send_test(channels, "hook", std::nullopt, surroundings);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.failure().message, HasSubstr("HTTP 404: no such hook"));
  EXPECT_EQ(*send_test(channels, "mimir", test_system("rl1"), surroundings), "HTTP 200");
  const auto request = peer.requests().at(0);
  EXPECT_EQ(request.header("X-Scope-OrgID"), "org-1");
  EXPECT_THAT(request.body, HasSubstr("\"endsAt\":\"" + to_rfc3339(kTestTime + 5min) + "\""));
  const auto unknown = send_test(channels, "pigeon", std::nullopt, surroundings);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.failure().kind, FailureKind::not_found);
  EXPECT_THAT(unknown.failure().message, HasSubstr("hook, mimir"));
}

}  // namespace
}  // namespace collect::alerts
