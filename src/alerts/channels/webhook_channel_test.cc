// SPDX-License-Identifier: Apache-2.0
#include "alerts/channels/webhook_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/channels/peer_for_test.h"
#include "alerts/delivery_for_test.h"
#include "base/hash.h"
#include "base/json.h"

namespace collect::alerts {
namespace {

using namespace std::chrono_literals;
using diff::Severity;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kExpected = R"text({
  "version": 1, "id": "0190a000-0000-7000-8000-000000000001", "kind": "alerts",
  "created_at": "2026-01-02T05:04:05.678901Z",
  "organization": {"id": "org-1", "name": "Acme & Söhne", "type": "customer"},
  "text": "2 alerts about rl1 (NETH-rl1, rl1.example.org) of Acme & Söhne\n- critical: Node 1 left (facts.nodes.1, 2026-01-02 03:05 UTC)\n- resolved: Certificate changed (facts.nodes.2, 2026-01-02 04:06 UTC)",
  "alerts": [
    {"id": 1, "status": "firing", "alert_type": "type_critical", "severity": "critical", "message": "Node 1 left",
     "system": {"id": "id-rl1", "key": "NETH-rl1", "name": "rl1", "type": "ns8", "fqdn": "rl1.example.org"},
     "path": "facts.nodes.1", "created_at": "2026-01-02T03:05:05.678901Z", "resolved_at": null},
    {"id": 2, "status": "resolved", "alert_type": "type_high", "severity": "high", "message": "Certificate changed",
     "system": {"id": "id-rl1", "key": "NETH-rl1", "name": "rl1", "type": "ns8", "fqdn": "rl1.example.org"},
     "path": "facts.nodes.2", "created_at": "2026-01-02T03:06:05.678901Z",
     "resolved_at": "2026-01-02T04:06:05.678901Z"}],
  "more": 0,
  "counts": {"firing": 1, "resolved": 1, "systems": 1,
             "severity": {"low": 0, "medium": 0, "high": 1, "critical": 1},
             "alert_type": {"type_critical": 1, "type_high": 1}}
})text";

class WebhookChannelTest : public testing::Test {
 protected:
  WebhookChannelConfig config(const std::string& secret = "") const {
    return {.url = peer.origin() + "/hooks/a-secret-path", .secret = secret, .timeout = 5s};
  }
  Result<std::string> send(const Delivery& what) { return WebhookChannel(config(), 10).send(what); }

  Peer peer{"/hooks/a-secret-path"};
  Delivery delivery = test_delivery_of({test_item(1, Severity::critical, "Node 1 left"),
                                        resolved(test_item(2, Severity::high, "Certificate changed"))});
};

TEST_F(WebhookChannelTest, PostsWhatTheDocumentPromises) {
  ASSERT_EQ(*send(delivery), "HTTP 200");
  const auto requests = peer.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].header("Content-Type"), "application/json");
  EXPECT_EQ(requests[0].header("X-Collect-Delivery"), delivery.id);
  EXPECT_FALSE(requests[0].has_header("X-Collect-Signature"));
  const auto expected = json::Document::parse(kExpected);
  const auto got = json::Document::parse(requests[0].body);
  ASSERT_TRUE(expected.ok() && got.ok());
  EXPECT_TRUE(json::equal(expected->root(), got->root())) << requests[0].body;
}

TEST_F(WebhookChannelTest, SignsTheBody) {
  WebhookChannel channel(config("a word that only two know"), 10);
  ASSERT_TRUE(channel.send(delivery).ok());
  const auto request = peer.requests().at(0);
  EXPECT_EQ(request.header("X-Collect-Signature"),
            "sha256=" + to_hex(hmac_sha256("a word that only two know", request.body)));
}

TEST_F(WebhookChannelTest, ARepetitionIsTheSame) {
  WebhookChannel channel(config("word"), 10);
  peer.answer_with({Peer::response(503), Peer::response(200)});
  EXPECT_FALSE(channel.send(delivery).ok());
  delivery.attempts = 1;
  EXPECT_TRUE(channel.send(delivery).ok());
  const auto requests = peer.requests();
  EXPECT_EQ(requests.at(0).body, requests.at(1).body);
  EXPECT_EQ(requests.at(0).header("X-Collect-Signature"), requests.at(1).header("X-Collect-Signature"));
}

TEST_F(WebhookChannelTest, ASummaryOfAThousandStaysSmall) {
  const auto storm = test_storm(1000);
  ASSERT_TRUE(send(storm).ok());
  const auto request = peer.requests().at(0);
  EXPECT_LT(request.body.size(), 8000U);
  const auto document = json::Document::parse(request.body);
  const json::Value& root = document->root();
  EXPECT_EQ(root.find("kind")->text, "summary");
  EXPECT_EQ(root.find("alerts")->elements.size(), 10U);
  EXPECT_EQ(root.find("alerts")->elements[9].find("severity")->text, "critical");
  EXPECT_EQ(root.find("more")->text, "990");
  EXPECT_EQ(root.at({"counts", "systems"})->text, "1000");
  EXPECT_EQ(root.at({"counts", "severity", "medium"})->text, "990");
}

TEST_F(WebhookChannelTest, TellsABusyPeerFromOneThatRefuses) {
  for (const int status : {200, 201, 202, 204}) {
    peer.answer_with(status);
    EXPECT_EQ(*send(delivery), "HTTP " + std::to_string(status));
  }
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) {
    peer.answer_with(status);
    const auto answer = send(delivery);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.failure().kind, FailureKind::unavailable) << status;
  }
  for (const int status : {301, 302, 307, 400, 401, 403, 404, 410, 413}) {
    auto response = Peer::response(status, "no\r\nway");
    peer.answer_with({std::move(response).with("Location", peer.origin() + "/hooks/a-secret-path")});
    const auto answer = send(delivery);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.failure().kind, FailureKind::invalid) << status;
    EXPECT_EQ(peer.requests().size(), 1U) << "a redirect was followed";
    EXPECT_THAT(answer.failure().message, HasSubstr("HTTP " + std::to_string(status) + ": no  way"));
    EXPECT_THAT(answer.failure().message, Not(HasSubstr("a-secret-path")));
  }
}

TEST_F(WebhookChannelTest, APeerThatRepeatsWhatIsSecretIsNotQuoted) {
  for (const char* said :
       {"Cannot POST /hooks/A-SECRET-path", "bad signature sha256=0123", "key: hook secret of ours"}) {
    peer.answer_with(400, said);
    const auto answer = WebhookChannel(config("hook secret of ours"), 10).send(delivery);
    ASSERT_FALSE(answer.ok());
    EXPECT_THAT(answer.failure().message, HasSubstr("answered HTTP 400: (its text repeats what is secret"));
  }
}

TEST_F(WebhookChannelTest, ALongAnswerIsAnAnswer) {
  peer.answer_with(200, std::string(1'000'000, 'x'));
  EXPECT_EQ(*send(delivery), "HTTP 200");
}

TEST_F(WebhookChannelTest, APeerThatIsSlowOrAwayIsTriedLater) {
  peer.answer_late(500ms);
  auto impatient = config();
  impatient.timeout = 100ms;
  const auto slow = WebhookChannel(impatient, 10).send(delivery);
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.failure().kind, FailureKind::unavailable);
  const auto away = WebhookChannel({.url = "http://127.0.0.1:1/hooks/a-secret-path"}, 10).send(delivery);
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(away.failure().message, Not(HasSubstr("a-secret-path")));
}

}  // namespace
}  // namespace collect::alerts
