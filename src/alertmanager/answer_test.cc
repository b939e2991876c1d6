// SPDX-License-Identifier: Apache-2.0
#include "alertmanager/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::alertmanager {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto kId = "018f4c2e-0000-7000-8000-000000000001";

std::string alert(const std::string& key, const std::string& more = "") {
  return R"({"labels":{"alertname":"X","system_key":")" + key + R"("})" + more + "}";
}
std::string silence(const std::string& key, const std::string& flags = R"("isRegex":false,"isEqual":true)",
                    const std::string& id = kId) {
  return R"({"id":")" + id + R"(","matchers":[{"name":"system_key","value":")" + key + R"(",)" + flags +
         R"(}],"startsAt":"2026-01-02T03:04:05.000Z","endsAt":"2026-01-02T04:04:05.000Z","updatedAt":"2026-01-02T03:04:05.000Z",)"
         R"("createdBy":"me","comment":"of )" +
         key + R"(","status":{"state":"active"},"annotations":{"x":"y"}})";
}

TEST(OwnAlerts, OthersRowsStayBehind) {
  const auto own = own_alerts("[" + alert("NETH-B") + "," + alert("NETH-A") + R"(,{"labels":{"a":"b"}},)" +
                                  alert("neth-a") + R"(,{"labels":{"system_key":7}}])",
                              "NETH-A");
  ASSERT_TRUE(own.ok()) << own.failure().message;
  EXPECT_EQ(own->json, "[" + alert("NETH-A") + "]");
  EXPECT_EQ(own->hidden, 4U);
}

TEST(OwnAlerts, RowsAreWrittenAnewFromWhatAnAlertHas) {
  const std::string known =
      R"(,"annotations":{"summary":"s"},"startsAt":"2026-01-02T03:04:05.500000Z","endsAt":"2026-01-02T04:04:05Z",)"
      R"("updatedAt":"2026-01-02T03:04:05Z","generatorURL":"http://x/","fingerprint":"00ff",)"
      R"("status":{"state":"suppressed","silencedBy":["018f4c2e-0000-7000-8000-000000000001"],"inhibitedBy":[]},)"
      R"("receivers":[{"name":"all"}])";
  EXPECT_EQ(
      own_alerts("[" + alert("NETH-A", known + R"(,"other":{"system_key":"NETH-B"})") + "]", "NETH-A")->json,
      "[" + alert("NETH-A", known) + "]");
}

TEST(OwnAlerts, WhatInhibitsThemIsNamedWhereItIsTheirsToo) {
  const auto row = [](const std::string& key, const std::string& fingerprint, const std::string& inhibitors) {
    return alert(key, R"(,"fingerprint":")" + fingerprint +
                          R"(","status":{"state":"suppressed","silencedBy":[],)" + R"("inhibitedBy":[)" +
                          inhibitors + "]}");
  };
  EXPECT_EQ(own_alerts("[" + row("NETH-A", "0a", R"("0b","1a")") + "," + row("NETH-B", "0b", "") + "," +
                           row("NETH-A", "1a", R"("ff")") + "]",
                       "NETH-A")
                ->json,
            "[" + row("NETH-A", "0a", R"("1a")") + "," + row("NETH-A", "1a", "") + "]");
}

TEST(OwnAlerts, WhatIsNoListOfAlertsIsNone) {
  for (const std::string& text :
       {std::string(""), std::string("{}"), std::string("null"), std::string("[7]"), std::string("[{}]"),
        std::string(R"([{"labels":[]}])"), "[" + alert("NETH-A") + "][]", "[" + alert("NETH-A"),
        std::string(R"([{"labels":{"system_key":"NETH-B","system_key":"NETH-A"}}])"),
        "[" + alert("NETH-A", R"(,"labels":{"system_key":"NETH-A"})") + "]",
        "[" + alert("NETH-A", R"(,"startsAt":"x")") + "]",
        "[" + alert("NETH-A", R"(,"annotations":{"a":1})") + "]",
        "[" + alert("NETH-A", R"(,"status":{"state":"NETH-B"})") + "]",
        "[" + alert("NETH-A", R"(,"status":{"state":"active","inhibitedBy":["NETH B"]})") + "]",
        "[" + alert("NETH-A", R"(,"receivers":{})") + "]", std::string("<html>")}) {
    EXPECT_FALSE(own_alerts(text, "NETH-A").ok()) << text;
  }
}

TEST(OwnSilences, OnlyExactMatchersCount) {
  const auto own = own_silences("[" + silence("NETH-B") + "," + silence("NETH-A") + "," +
                                    silence("NETH-A", R"("isRegex":true,"isEqual":true)") + "," +
                                    silence("NETH-A", R"("isRegex":false,"isEqual":false)") + "," +
                                    silence(".*", R"("isRegex":true)") + "]",
                                "NETH-A");
  ASSERT_TRUE(own.ok()) << own.failure().message;
  EXPECT_EQ(own->hidden, 4U);
  EXPECT_EQ(
      own->json,
      R"([{"id":"018f4c2e-0000-7000-8000-000000000001","matchers":[{"name":"system_key","value":"NETH-A",)"
      R"("isRegex":false,"isEqual":true}],"startsAt":"2026-01-02T03:04:05Z","endsAt":"2026-01-02T04:04:05Z",)"
      R"("createdBy":"me","comment":"of NETH-A","updatedAt":"2026-01-02T03:04:05Z","status":{"state":"active"}}])");
}

TEST(OwnSilences, WhatIsNoListOfSilencesIsNone) {
  for (const std::string& text : {std::string("{}"), std::string("[{}]"), std::string("[1]"),
                                  silence("NETH-A"), "[" + silence("NETH-A", R"("isRegex":"no")") + "]",
                                  "[" + silence("NETH-A", R"("isEqual":true)") + "]",
                                  "[" + silence("NETH-A", R"("isRegex":false)", "x") + "]"}) {
    EXPECT_FALSE(own_silences(text, "NETH-A").ok()) << text;
  }
}

TEST(TheSilence, IsTheOneThatWasAskedFor) {
  EXPECT_TRUE(the_silence(silence("NETH-A"), kId).ok());
  EXPECT_FALSE(the_silence(silence("NETH-A"), "018f4c2e-0000-7000-8000-000000000002").ok());
  EXPECT_FALSE(the_silence("[" + silence("NETH-A") + "]", kId).ok());
  EXPECT_FALSE(the_silence("", kId).ok());
}

TEST(PostedSilenceId, IsAUuid) {
  EXPECT_EQ(*posted_silence_id(std::string(R"({"silenceID":")") + kId + "\"}\n"), kId);
  for (const std::string text : {"", "{}", "[]", R"({"silenceID":"x"})", R"({"silenceID":7})"})
    EXPECT_FALSE(posted_silence_id(text).ok()) << text;
}

}  // namespace
}  // namespace collect::alertmanager
