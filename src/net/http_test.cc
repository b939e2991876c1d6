// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace collect::net {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string head_of(const Response& response, Framing framing = {"id-1", "now", 1, true}) {
  std::string out;
  append_head(out, response, framing);
  return out;
}

TEST(Envelope, HoldsCodeMessageAndData) {
  const Response response = envelope(202, "inventory \"queued\"", R"({"receipt":"r"})");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, R"({"code":202,"message":"inventory \"queued\"","data":{"receipt":"r"}})");
  EXPECT_EQ(envelope(404, "api not found").body, R"({"code":404,"message":"api not found","data":null})");
}

TEST(Envelope, IsJsonWhateverTheMessage) {
  EXPECT_TRUE(json::check(envelope(400, "a\x01\xff\r\n\"\\").body).ok());
}

TEST(TryAgainLater, SpreadsItsRetryAfter) {
  std::set<std::string> seen;
  for (int i = 0; i < 500; ++i) seen.insert(try_again_later("full").headers.at(0).value);
  EXPECT_THAT(seen, testing::ElementsAre("1", "2", "3", "4", "5"));
}

TEST(Head, CarriesWhatEveryAnswerCarries) {
  EXPECT_EQ(head_of(envelope(200, "ok")),
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: application/json; charset=utf-8\r\n"
            "Content-Length: 39\r\nX-Request-Id: id-1\r\nCache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST(Head, TellsWhetherTheConnectionStays) {
  EXPECT_THAT(head_of(envelope(200, ""), {"", "", 1, true}), Not(HasSubstr("Connection:")));
  EXPECT_THAT(head_of(envelope(200, ""), {"", "", 1, false}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_of(envelope(200, ""), {"", "", 0, true}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(Head, LetsNoValueStartAHeader) {
  Response response = envelope(200, "ok");
  response.with("X-Name", "a\r\nSet-Cookie: b\r\n\r\nbody").with("Bad\r\nName", "v").with("Bad Name", "v");
  response.content_type = "text/plain\r\nX-Evil: 1";
  const std::string head = head_of(response);
  EXPECT_THAT(head, HasSubstr("X-Name: a  Set-Cookie: b    body\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Type: text/plain  X-Evil: 1\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Bad")));
  EXPECT_EQ(head.find("\r\n\r\n"), head.size() - 4);
}

TEST(Head, KeepsFramingToItself) {
  Response response = envelope(200, "ok");
  response.with("content-length", "3").with("Transfer-Encoding", "chunked").with("Connection", "upgrade");
  const std::string head = head_of(response);
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  EXPECT_THAT(head, Not(HasSubstr("upgrade")));
  EXPECT_THAT(head, Not(HasSubstr("content-length")));
}

TEST(Head, LetsAResponseChooseItsCaching) {
  const std::string head = head_of(envelope(200, "ok").with("cache-control", "max-age=5"));
  EXPECT_THAT(head, HasSubstr("cache-control: max-age=5"));
  EXPECT_THAT(head, Not(HasSubstr("no-store")));
}

TEST(Head, OfNoContentHasNoLength) {
  Response response;
  response.status = 204;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Type:")));
  EXPECT_THAT(head_of(response), HasSubstr("HTTP/1.1 204 No Content\r\n"));
}

TEST(HeaderList, FindsTheFirstInAnyCase) {
  RequestHead head;
  head.headers.add("Content-Type", "a");
  head.headers.add("X-Empty", "");
  head.headers.add("content-type", "b");
  EXPECT_EQ(head.header("CONTENT-TYPE"), "a");
  EXPECT_TRUE(head.has_header("x-empty"));
  EXPECT_FALSE(head.has_header("X-Other"));
  EXPECT_EQ(head.header("X-Other"), "");
  EXPECT_EQ(head.headers.size(), 3U);
  EXPECT_EQ(head.headers.name(2), "content-type");
  EXPECT_EQ(head.headers.value(2), "b");
}

TEST(HttpDate, IsTheFixedFormat) {
  EXPECT_EQ(http_date(parse_rfc3339("1994-11-06T08:49:37.9Z").value()), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(PercentDecoded, TakesOnlyWholeEscapes) {
  EXPECT_EQ(percent_decoded("a%20b%2F%c3%A9"), "a b/\xc3\xa9");
  EXPECT_EQ(percent_decoded(""), "");
  for (const char* bad : {"%", "%4", "a%4", "%zz", "%4g"}) EXPECT_FALSE(percent_decoded(bad)) << bad;
}

TEST(Shown, IsShortAndPrintable) {
  EXPECT_EQ(shown("a\r\n\\\xff"), R"(a\x0d\x0a\x5c\xff)");
  EXPECT_EQ(shown(std::string(100, 'x')), std::string(64, 'x') + "...");
}

}  // namespace
}  // namespace collect::net
