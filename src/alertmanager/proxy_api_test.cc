// SPDX-License-Identifier: Apache-2.0
// What the upstream receives and what A gets, byte by byte where it matters. A fuzzer tries the rest
// (tests/alertmanager).
#include "alertmanager/proxy_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "alertmanager/proxy_for_test.h"

namespace collect::alertmanager {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kAlert = R"([{"labels":{"alertname":"DiskFull","severity":"critical"}}])";
constexpr auto kOurFilter = "filter=system_key%3D%22NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA%22";

std::string silence_of(std::string_view matchers, std::string_view id = "") {
  return R"({"matchers":[)" + std::string(matchers) +
         R"(],"startsAt":"2026-01-02T03:00:00Z","endsAt":"2026-01-02T04:00:00Z","createdBy":"me","comment":"c")" +
         (id.empty() ? "" : R"(,"id":")" + std::string(id) + "\"") + "}";
}
constexpr auto kMatcher = R"({"name":"alertname","value":"DiskFull","isRegex":false})";

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()) + 64, '\0');
  std::string copy = text;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class ProxyApiTest : public testing::Test {
 protected:
  ProxyApiTest() { proxy.upstream.script(answer_with_everything); }

  // The one request that went upstream.
  Received only() {
    auto all = proxy.upstream.take();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Received{} : all.front();
  }
  void expect_nothing_went_upstream() { EXPECT_EQ(proxy.upstream.take().size(), 0U); }
  // The refusal's status; nothing went upstream and one audit line was written, which names `reason`.
  int audited(const std::string& reason, const std::function<net::Response()>& request) {
    const auto before = proxy.api.counters().audited.load();
    testing::internal::CaptureStderr();
    const auto answer = request();
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(proxy.api.counters().audited.load(), before + 1) << answer.body;
    EXPECT_THAT(log, HasSubstr(R"("event":"audit","reason":")" + reason + "\""));
    EXPECT_THAT(log, HasSubstr(R"("system_key":")" + std::string(kKeyA) + "\""));
    EXPECT_THAT(log, Not(HasSubstr("SECRET OF B")));
    return answer.status;
  }

  ProxyForTest proxy;
};

TEST_F(ProxyApiTest, AnAlertGoesToTheTenantAsTheSystemsOwn) {
  EXPECT_EQ(proxy.call("POST", "alerts", kAlert).status, 200);
  const auto received = only();
  EXPECT_THAT(received.head, testing::StartsWith("POST /alertmanager/api/v2/alerts HTTP/1.1\r\n"));
  EXPECT_EQ(received.header("X-Scope-OrgID"), "org-1");
  EXPECT_EQ(received.header("Content-Type"), "application/json");
  EXPECT_EQ(received.header("Authorization"), "") << "the system's secret is for Collect alone";
  EXPECT_EQ(received.body,
            R"([{"labels":{"alertname":"DiskFull","organization_id":"org-1","organization_name":"Acme",)"
            R"("organization_type":"customer","severity":"critical","system_id":"id-a",)"
            R"("system_key":"NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA","system_name":"name of id-a"}}])");
}

TEST_F(ProxyApiTest, BothPrefixesAreTheSame) {
  for (const std::string prefix : {"/api/services/mimir/", "/services/mimir/"}) {
    EXPECT_EQ(proxy.ask("POST", prefix + "alertmanager/api/v2/alerts", kAlert).status, 200);
    EXPECT_EQ(proxy.ask("GET", prefix + "alertmanager/api/v2/alerts").status, 200);
    EXPECT_EQ(proxy.ask("POST", prefix + "alertmanager/api/v2/silences", silence_of(kMatcher)).status, 200);
    EXPECT_EQ(proxy.ask("GET", prefix + "alertmanager/api/v2/silences").status, 200);
    for (const std::string by_id : {"silence/", "silences/"}) {
      const auto target = prefix + "alertmanager/api/v2/" + by_id + std::string(kSilenceOfA);
      EXPECT_EQ(proxy.ask("GET", target).status, 200);
      EXPECT_EQ(proxy.ask("DELETE", target).status, 200);
    }
  }
}

TEST_F(ProxyApiTest, TheManagingOrganizationIsTheTenantAndAChangeOfItCountsAtOnce) {
  EXPECT_EQ(proxy.call("GET", "alerts").status, 200);
  EXPECT_EQ(only().header("X-Scope-OrgID"), "org-1");
  proxy.system("id-a").organization.managed_by = "boss";
  proxy.system("id-a").fqdn = "new.example.org";
  EXPECT_EQ(proxy.call("POST", "alerts", kAlert).status, 200);
  const auto received = only();
  EXPECT_EQ(received.header("X-Scope-OrgID"), "boss");
  EXPECT_THAT(received.body, HasSubstr(R"("system_fqdn":"new.example.org")"));
}

TEST_F(ProxyApiTest, ATenantsNameThatJoinsTwoGoesNowhere) {
  proxy.system("id-a").organization.managed_by = "org-1|org-2";
  EXPECT_EQ(proxy.call("GET", "alerts").status, 502);
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, ASystemSuspendedAMomentAgoGetsNothing) {
  EXPECT_EQ(proxy.call("GET", "alerts").status, 200);
  proxy.upstream.take();
  proxy.system("id-a").suspended_at = kTestNow;
  EXPECT_EQ(proxy.call("GET", "alerts").status, 401);
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, TemplatesAreWrittenOutOverTheLabelsAsTheyGoUpstream) {
  ASSERT_EQ(
      proxy
          .call(
              "POST", "alerts",
              R"([{"labels":{"severity":"critical","alertname":"DiskFull","system_key":"SYS-001"},"annotations":)"
              R"({"summary":"Alert {{.alertname}} has severity {{.severity}}","who":"{{.system_key}}",)"
              R"("broken":"{{.alertname","none":"{{.nothing}}"}}])")
          .status,
      200);
  EXPECT_THAT(only().body, HasSubstr(R"("annotations":{"broken":"{{.alertname","none":"<no value>",)"
                                     R"("summary":"Alert DiskFull has severity critical",)"
                                     R"("who":"NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"})"));
}

TEST_F(ProxyApiTest, GzipIsInflatedBeforeItIsRead) {
  const std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(proxy.ask("POST", std::string(kPrefix) + "alerts", gzipped(kAlert), gzip).status, 200);
  EXPECT_THAT(only().body, HasSubstr("DiskFull"));
  EXPECT_EQ(audited("trailing_data",
                    [&] {
                      return proxy.ask("POST", std::string(kPrefix) + "alerts",
                                       gzipped(std::string(kAlert) + "[]"), gzip);
                    }),
            400);
  EXPECT_EQ(
      proxy.ask("POST", std::string(kPrefix) + "alerts", gzipped(kAlert) + gzipped(kAlert), gzip).status,
      400);
  EXPECT_EQ(
      proxy.ask("POST", std::string(kPrefix) + "alerts", gzipped(std::string(5 << 20, ' ')), gzip).status,
      413);
  EXPECT_EQ(proxy.ask("POST", std::string(kPrefix) + "alerts", kAlert, gzip).status, 400);
  for (const std::string other : {"deflate", "br", "gzip, gzip", "zstd"}) {
    EXPECT_EQ(
        proxy.ask("POST", std::string(kPrefix) + "alerts", kAlert, "Content-Encoding: " + other + "\r\n")
            .status,
        415);
  }
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, WhatIsNotExactlyOneDocumentIsRefusedAndAudited) {
  const std::string second = R"([{"labels":{"alertname":"X","system_key":")" + std::string(kKeyB) + R"("}}])";
  for (const std::string& body : {std::string(kAlert) + second, std::string(kAlert) + "\n" + second,
                                  std::string(kAlert) + ",", std::string(kAlert) + "x"}) {
    EXPECT_EQ(audited("trailing_data", [&] { return proxy.call("POST", "alerts", body); }), 400) << body;
  }
  for (const std::string body : {R"([{"labels":{"alertname":"X","system_key":"A","system_key":"B"}}])",
                                 R"([{"labels":{"alertname":"X"},"labels":{"system_key":"B"}}])",
                                 R"([{"labels":{"alertname":"X","system_key":"A","system\u005fkey":"B"}}])",
                                 R"([{"labels":{"alertname":"X"},"status":{"a":{"b":1,"b":2}}}])"}) {
    EXPECT_EQ(audited("duplicate_key", [&] { return proxy.call("POST", "alerts", body); }), 400) << body;
  }
  for (const std::string body : {"", "{", "{}", "null", "7", "\"x\"", "[{}]", "[null]", "\xff[]"}) {
    EXPECT_EQ(proxy.call("POST", "alerts", body).status, 400) << body;
  }
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, DifferentlyCasedKeysAreNobodys) {
  EXPECT_EQ(
      proxy
          .call("POST", "alerts",
                R"([{"labels":{"alertname":"X"},"Labels":{"system_key":"B"},"LABELS":{"system_key":"B"}}])")
          .status,
      200);
  EXPECT_THAT(only().body,
              AllOf(Not(HasSubstr("\"B\"")), Not(HasSubstr("Labels")), Not(HasSubstr("LABELS"))));
  EXPECT_EQ(proxy.call("POST", "alerts", R"([{"Labels":{"alertname":"X"}}])").status, 400);
  ASSERT_EQ(
      proxy
          .call("POST", "silences",
                silence_of(
                    R"({"name":"alertname","Name":"system_key","value":"X","VALUE":".*","isRegex":false,)"
                    R"("isregex":true})")
                    .insert(1, R"("Id":")" + std::string(kSilenceOfB) + "\","))
          .status,
      200);
  EXPECT_EQ(
      only().body,
      R"({"matchers":[{"name":"alertname","value":"X","isRegex":false,"isEqual":true},{"name":"system_key",)"
      R"("value":"NETH-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA","isRegex":false,"isEqual":true}],)"
      R"("startsAt":"2026-01-02T03:00:00Z","endsAt":"2026-01-02T04:00:00Z","createdBy":"me","comment":"c"})");
}

TEST_F(ProxyApiTest, ListsHoldTheSystemsRowsWhateverTheUpstreamAnswers) {
  for (const std::string list : {"alerts", "silences"}) {
    const auto answer = proxy.call("GET", list);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, net::kJson);
    EXPECT_THAT(answer.body,
                AllOf(HasSubstr("mine"), Not(HasSubstr("SECRET OF B")), Not(HasSubstr(std::string(kKeyB)))));
    EXPECT_EQ(only().target, "/alertmanager/api/v2/" + list + "?" + kOurFilter);
  }
  EXPECT_EQ(proxy.api.counters().rows_hidden, 2U);
}

TEST_F(ProxyApiTest, FiltersThatNameAnotherSystemAreDropped) {
  for (const std::string& filter :
       {"system_key%3D%22" + std::string(kKeyB) + "%22", std::string("system_key=~.%2a"),
        std::string("%7Bsystem_key!=%22x%22%7D")}) {
    EXPECT_EQ(proxy.call("GET", "alerts?filter=" + filter + "&filter=severity%3Dcritical&x=" + filter).status,
              200);
    EXPECT_EQ(only().target,
              std::string("/alertmanager/api/v2/alerts?filter=severity%3D%22critical%22&") + kOurFilter);
  }
  EXPECT_EQ(proxy.call("GET", "alerts?filter=%22").status, 400);
  EXPECT_EQ(proxy.call("GET", "silences?filter=a%3Db%22,system_key=~%22.%2a").status, 400);
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, ASilenceIsNarrowedToTheSystem) {
  const auto answer =
      proxy.call("POST", "silences",
                 silence_of(std::string(kMatcher) + R"(,{"name":"system_key","value":".*","isRegex":true})"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"silenceID":"018f4c2e-0000-7000-8000-00000000000a"})");
  EXPECT_THAT(only().body,
              AllOf(HasSubstr(R"({"name":"system_key","value":"NETH-AAAA)"), Not(HasSubstr(".*"))));
  EXPECT_EQ(proxy.call("POST", "silences", silence_of(R"({"name":"system_key","value":"x","isRegex":false})"))
                .status,
            400);
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, ASilenceIsChangedOnlyByItsOwner) {
  EXPECT_EQ(proxy.call("POST", "silences", silence_of(kMatcher, kSilenceOfA)).status, 200);
  const auto received = proxy.upstream.take();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].target, "/alertmanager/api/v2/silence/" + std::string(kSilenceOfA));
  EXPECT_THAT(received[1].body, HasSubstr(R"("id":"018f4c2e-0000-7000-8000-00000000000a")"));

  EXPECT_EQ(audited("foreign_silence",
                    [&] { return proxy.call("POST", "silences", silence_of(kMatcher, kSilenceOfB)); }),
            403);
  EXPECT_EQ(only().method, "GET");
  EXPECT_EQ(
      proxy.call("POST", "silences", silence_of(kMatcher, "018f4c2e-0000-7000-8000-0000000000ff")).status,
      404);
}

TEST_F(ProxyApiTest, ByIdOnlyTheSystemsOwnAreReached) {
  const auto answer = proxy.call("GET", "silence/" + std::string(kSilenceOfA));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("mine"));
  proxy.upstream.take();
  EXPECT_EQ(proxy.call("DELETE", "silences/018F4C2E-0000-7000-8000-00000000000A").status, 200);
  const auto received = proxy.upstream.take();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[1].method + received[1].target,
            "DELETE/alertmanager/api/v2/silence/" + std::string(kSilenceOfA));
  for (const std::string method : {"GET", "DELETE", "HEAD"}) {
    EXPECT_EQ(
        audited("foreign_silence", [&] { return proxy.call(method, "silence/" + std::string(kSilenceOfB)); }),
        403);
    EXPECT_EQ(only().method, "GET") << "nothing but the look at whose it is";
    EXPECT_EQ(proxy.call(method, "silence/018f4c2e-0000-7000-8000-0000000000ff").status, 404);
    EXPECT_EQ(only().method, "GET");
  }
}

TEST_F(ProxyApiTest, PathsAreTakenLiterally) {
  const std::string id(kSilenceOfB);
  for (const std::string& path : std::vector<std::string>{"silence/../silence/" + id,
                                                          "silence/%2e%2e",
                                                          "silence/..%2fsilence%2f" + id,
                                                          "silence//" + id,
                                                          "/silence/" + id,
                                                          "silence/" + id + "/",
                                                          "silence/" + id + "/..",
                                                          "silence/" + id + "%2f",
                                                          "silence/" + id + "%00",
                                                          "silence/" + id + "%20",
                                                          "silences/%252e",
                                                          "silence/" + id + ";x",
                                                          "silence/a%5cb",
                                                          "alerts/..",
                                                          "%61lerts",
                                                          "alerts/",
                                                          "alerts%3f",
                                                          "./alerts",
                                                          "../v1/alerts",
                                                          "silence/" + id + "%0d%0aX:%20y",
                                                          "silence/a%23",
                                                          "alerts;a=b"}) {
    for (const std::string method : {"GET", "DELETE", "POST"}) {
      const auto answer = proxy.call(method, path, kAlert);
      EXPECT_THAT(answer.status, AnyOf(400, 404, 405)) << method << " " << path;
      EXPECT_THAT(answer.body, Not(HasSubstr("SECRET OF B")));
    }
  }
  EXPECT_EQ(audited("path_trick", [&] { return proxy.call("GET", "silence/..%2fsilence"); }), 404);
  EXPECT_EQ(audited("path_trick", [&] { return proxy.call("GET", "silence//" + id); }), 404);
  EXPECT_EQ(audited("path_trick", [&] { return proxy.call("DELETE", "silence/" + id + "%20"); }), 400);
  for (const std::string path :
       {"status", "receivers", "alerts/groups", "alerts/x", "", "silence", "silence/"})
    EXPECT_EQ(proxy.call("GET", path).status, 404) << path;
  EXPECT_EQ(proxy.ask("GET", "/services/mimir/alertmanager/api/v1/alerts").status, 404);
  EXPECT_EQ(proxy.ask("POST", "/services/mimir/api/v1/push").status, 404);
  EXPECT_EQ(proxy.call("PUT", "alerts").status, 405);
  EXPECT_EQ(proxy.call("GET", "silence/not-a-uuid").status, 400);
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, WithoutALogInThereIsNothing) {
  for (const std::string& path :
       std::vector<std::string>{"alerts", "silences", "silence/" + std::string(kSilenceOfA), "x/../y"}) {
    const auto answer =
        proxy.ask_raw("GET " + std::string(kPrefix) + path + " HTTP/1.1\r\nHost: x\r\n\r\n", "");
    EXPECT_EQ(answer.status, 401) << path;
  }
  expect_nothing_went_upstream();
}

TEST_F(ProxyApiTest, AnAnswerThatIsNoneIsA502AndSaysNothingOfIt) {
  const std::string rows = "[" + alert_row(kKeyA, "mine") + "]";
  for (const Scripted& answer :
       {Scripted{.body = "SECRET OF B"}, Scripted{.body = "{}"}, Scripted{.body = rows + rows},
        Scripted{.body = ""}, Scripted{.status = 500, .body = "SECRET OF B"},
        Scripted{.status = 401, .body = "SECRET OF B"},
        Scripted{.status = 302, .headers = "Location: /alertmanager/api/v2/alerts?all\r\n"},
        Scripted{.body = R"([{"labels":{"system_key":"SECRET OF B","system_key":")" + std::string(kKeyA) +
                         "\"}}]"}}) {
    proxy.upstream.answer(answer);
    const auto got = proxy.call("GET", "alerts");
    EXPECT_EQ(got.status, 502) << answer.body;
    EXPECT_EQ(got.body, R"({"code":502,"message":"the Alertmanager gave no usable answer","data":null})");
  }
  proxy.upstream.answer({.body = silence_row(kKeyA, kSilenceOfA, "mine")});
  EXPECT_EQ(proxy.call("DELETE", "silence/018f4c2e-0000-7000-8000-0000000000ff").status, 502)
      << "an upstream that shows another silence than was asked for";
  EXPECT_EQ(proxy.upstream.take().back().method, "GET");
}

TEST_F(ProxyApiTest, WhatTheUpstreamRefusesIsTheClientsWithoutItsWords) {
  proxy.upstream.answer({.status = 400, .body = "bad matcher near SECRET OF B at http://mimir:9009"});
  for (const auto& answer : {proxy.call("POST", "alerts", kAlert), proxy.call("GET", "alerts"),
                             proxy.call("POST", "silences", silence_of(kMatcher))}) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, AllOf(Not(HasSubstr("SECRET OF B")), Not(HasSubstr("mimir:9009"))));
  }
}

TEST_F(ProxyApiTest, OneThatIsAwayIsToBeTriedAgain) {
  for (const Scripted& answer : {Scripted{.status = 503}, Scripted{.status = 429}, Scripted{.status = 406},
                                 Scripted{.hang_up = true}}) {
    proxy.upstream.answer(answer);
    const auto got = proxy.call("POST", "alerts", kAlert);
    EXPECT_EQ(got.status, 503);
    ASSERT_EQ(got.headers.size(), 1U);
    EXPECT_EQ(got.headers[0].name, "Retry-After");
    EXPECT_THAT(got.body, Not(HasSubstr("127.0.0.1")));
  }
}

TEST_F(ProxyApiTest, ATenantThatIsBeingCreatedIsWaitedFor) {
  auto asked = std::make_shared<std::atomic<int>>(0);
  proxy.upstream.script([asked](const Received& request) {
    return (*asked)++ < 2 ? Scripted{.status = 406} : answer_with_everything(request);
  });
  EXPECT_EQ(proxy.call("POST", "alerts", kAlert).status, 200);
  EXPECT_EQ(proxy.upstream.take().size(), 3U);
  EXPECT_EQ(proxy.client.retries(), 2U);
}

TEST_F(ProxyApiTest, CountsWhatBecameOfRequests) {
  (void)proxy.call("POST", "alerts", kAlert);
  (void)proxy.call("POST", "alerts", "x");
  proxy.upstream.answer({.status = 500});
  (void)proxy.call("POST", "alerts", kAlert);
  const auto& counted = proxy.api.counters().calls[static_cast<std::size_t>(Call::post_alerts)];
  EXPECT_EQ(counted.passed, 1U);
  EXPECT_EQ(counted.refused, 1U);
  EXPECT_EQ(counted.failed, 1U);
  EXPECT_EQ(proxy.api.counters().alerts, 1U);
}

TEST(ProxyApiWithoutUrl, SaysWhichSettingIsMissing) {
  ProxyForTest proxy(false);
  for (const auto& answer : {proxy.call("GET", "alerts"), proxy.call("POST", "alerts", kAlert),
                             proxy.call("DELETE", "silence/" + std::string(kSilenceOfA))}) {
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.body, HasSubstr("MIMIR_URL is not set"));
  }
  EXPECT_EQ(proxy.call("GET", "status").status, 404);
}

}  // namespace
}  // namespace collect::alertmanager
