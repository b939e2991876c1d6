// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/tenant_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "alertmanager/scripted_upstream_for_test.h"

namespace collect::alertmanager {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr auto kSilence = "silence/018f4c2e-0000-7000-8000-000000000001";

class TenantClientTest : public testing::Test {
 protected:
  static TenantClientOptions quick() {
    TenantClientOptions options;
    options.first_pause = 1ms;
    return options;
  }
  // 406 for that many times, then `then`.
  void being_created(int times, int then = 200) {
    upstream.script([times, then, asked = std::make_shared<std::atomic<int>>(0)](const Received&) {
      return Scripted{.status = (*asked)++ < times ? 406 : then, .body = "[]"};
    });
  }

  ScriptedUpstream upstream;
  TenantClient client{upstream.url() + "/", quick()};
};

TEST_F(TenantClientTest, SaysWhichTenantIsMeant) {
  ASSERT_EQ(client.ask({"org-1", "POST", "alerts", "", "[]"}, 10s)->status, 200);
  ASSERT_EQ(client.ask({"org-2", "DELETE", kSilence, "", ""}, 10s)->status, 200);
  ASSERT_EQ(client.ask({"org-1", "GET", "alerts", "filter=a%3D%22b%22", ""}, 10s)->status, 200);
  const auto received = upstream.take();
  ASSERT_EQ(received.size(), 3U);
  EXPECT_THAT(received[0].head, HasSubstr("POST /alertmanager/api/v2/alerts HTTP/1.1\r\n"));
  EXPECT_EQ(received[0].header("X-Scope-OrgID"), "org-1");
  EXPECT_EQ(received[0].header("Content-Type"), "application/json");
  EXPECT_EQ(received[0].body, "[]");
  EXPECT_THAT(received[1].head,
              HasSubstr(std::string("DELETE /alertmanager/api/v2/") + kSilence + " HTTP/1.1\r\n"));
  EXPECT_EQ(received[1].header("X-Scope-OrgID"), "org-2");
  EXPECT_THAT(received[2].head, HasSubstr("GET /alertmanager/api/v2/alerts?filter=a%3D%22b%22 HTTP/1.1\r\n"));
}

TEST_F(TenantClientTest, WaitsForATenantThatIsBeingCreated) {
  being_created(3);
  EXPECT_EQ(client.ask({"org-1", "GET", "alerts", "", ""}, 10s)->status, 200);
  EXPECT_EQ(upstream.take().size(), 4U);
  EXPECT_EQ(client.retries(), 3U);
}

TEST_F(TenantClientTest, DoesNotWaitForEver) {
  being_created(1000);
  EXPECT_EQ(client.ask({"org-1", "GET", "alerts", "", ""}, 10s)->status, 406);
  EXPECT_EQ(upstream.take().size(), 5U);
  const auto posted = client.post_alerts("org-1", "[]", 10s);
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.failure().kind, FailureKind::unavailable);
}

TEST_F(TenantClientTest, TheTimeIsForAllTries) {
  TenantClient patient(upstream.url(), {.http = {}, .first_pause = 1h, .most_tries = 5});
  being_created(1000);
  EXPECT_EQ(patient.ask({"org-1", "GET", "alerts", "", ""}, 2s)->status, 406);
  EXPECT_EQ(upstream.take().size(), 1U);
}

TEST_F(TenantClientTest, ARedirectIsAnAnswerAndNotFollowed) {
  ScriptedUpstream elsewhere;
  upstream.answer({.status = 307, .body = "", .headers = "Location: " + elsewhere.url() + "/\r\n"});
  EXPECT_EQ(client.ask({"org-1", "POST", "alerts", "", "[]"}, 10s)->status, 307);
  EXPECT_EQ(elsewhere.take().size(), 0U);
  const auto posted = client.post_alerts("org-1", "[]", 10s);
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.failure().kind, FailureKind::invalid);
}

TEST_F(TenantClientTest, OneTenantAtATime) {
  for (const std::string tenant : {"", "a|b", "a b", "a\r\nX-Other: b", "caf\xc3\xa9", "\x7f"}) {
    const auto answer = client.ask({tenant, "GET", "alerts", "", ""}, 10s);
    ASSERT_FALSE(answer.ok()) << tenant;
    EXPECT_EQ(answer.failure().kind, FailureKind::invalid);
  }
  EXPECT_FALSE(client.ask({std::string(151, 'a'), "GET", "alerts", "", ""}, 10s).ok());
  EXPECT_EQ(upstream.take().size(), 0U);
}

TEST_F(TenantClientTest, PostsAlertsAndTellsHowItWent) {
  EXPECT_EQ(*client.post_alerts("org-1", R"([{"labels":{"a":"b"}}])", 10s), "HTTP 200");
  EXPECT_EQ(upstream.take().at(0).body, R"([{"labels":{"a":"b"}}])");
  for (const int status : {429, 500, 503}) {
    upstream.answer({.status = status});
    EXPECT_EQ(client.post_alerts("org-1", "[]", 10s).failure().kind, FailureKind::unavailable) << status;
  }
  upstream.answer({.status = 400, .body = "bad label"});
  const auto refused = client.post_alerts("org-1", "[]", 10s);
  EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
  EXPECT_THAT(refused.failure().message, HasSubstr("bad label"));
}

TEST_F(TenantClientTest, WithoutAUrlItSaysWhichSettingIsMissing) {
  TenantClient nowhere("", {});
  EXPECT_FALSE(nowhere.has_url());
  EXPECT_TRUE(client.has_url());
  const auto answer = nowhere.post_alerts("org-1", "[]", 10s);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(answer.failure().message, HasSubstr("MIMIR_URL"));
}

TEST_F(TenantClientTest, NobodyThereIsNoAnswer) {
  TenantClient lost("http://127.0.0.1:1", quick());
  const auto answer = lost.ask({"org-1", "GET", "alerts", "", ""}, 10s);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  upstream.answer({.status = 200, .body = "", .headers = "", .delay = 0ms, .hang_up = true});
  EXPECT_FALSE(client.ask({"org-1", "GET", "alerts", "", ""}, 10s).ok());
}

}  // namespace
}  // namespace collect::alertmanager
