// SPDX-License-Identifier: Apache-2.0
#include "net/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace collect::net {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Trick {
  const char* name;
  std::string raw;
  int status;
  const char* says;
};

std::string post(const std::string& fields) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

std::string trick_name(const testing::TestParamInfo<Trick>& test) {
  return test.param.name;
}

class GateRefuses : public testing::TestWithParam<Trick> {};

TEST_P(GateRefuses, WithASentence) {
  const auto outcome = read_head(GetParam().raw);
  const auto* refusal = std::get_if<Refusal>(&outcome);
  ASSERT_NE(refusal, nullptr);
  EXPECT_EQ(refusal->status, GetParam().status);
  EXPECT_THAT(refusal->message, HasSubstr(GetParam().says));
  for (const char c : refusal->message) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << refusal->message;
}

INSTANTIATE_TEST_SUITE_P(
    Framing, GateRefuses,
    testing::Values(
        Trick{"te_gzip", post("Transfer-Encoding: gzip\r\n"), 400, "got \"gzip\""},
        Trick{"te_xchunked", post("Transfer-Encoding: xchunked\r\n"), 400, "got \"xchunked\""},
        Trick{"te_list", post("Transfer-Encoding: gzip, chunked\r\n"), 400, "got \"gzip, chunked\""},
        Trick{"te_identity", post("Transfer-Encoding: identity\r\n"), 400, "identity"},
        Trick{"te_empty", post("Transfer-Encoding:\r\n"), 400, "chunked"},
        Trick{"te_quoted", post("Transfer-Encoding: \"chunked\"\r\n"), 400, "chunked"},
        Trick{"te_params", post("Transfer-Encoding: chunked;a=b\r\n"), 400, "chunked"},
        Trick{"te_vertical_tab",
              post("Transfer-Encoding: \x0b"
                   "chunked\r\n"),
              400, "control"},
        Trick{"te_twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
              "several"},
        Trick{"te_and_cl", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400, "got both"},
        Trick{"cl_and_te", post("Content-Length: 3\r\ntransfer-encoding: chunked\r\n"), 400, "got both"},
        Trick{"te_on_http10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "HTTP/1.0"},
        Trick{"cl_twice", post("Content-Length: 3\r\nContent-Length: 4\r\n"), 400, "several"},
        Trick{"cl_twice_same", post("Content-Length: 3\r\nContent-Length: 3\r\n"), 400, "several"},
        Trick{"cl_list", post("Content-Length: 3, 3\r\n"), 400, "number"},
        Trick{"cl_plus", post("Content-Length: +3\r\n"), 400, "number"},
        Trick{"cl_minus", post("Content-Length: -3\r\n"), 400, "number"},
        Trick{"cl_hex", post("Content-Length: 0x3\r\n"), 400, "number"},
        Trick{"cl_empty", post("Content-Length:\r\n"), 400, "number"},
        Trick{"cl_letters", post("Content-Length: 3a\r\n"), 400, "number"},
        Trick{"cl_overflow", post("Content-Length: 18446744073709551616\r\n"), 400, "number"}),
    trick_name);

INSTANTIATE_TEST_SUITE_P(
    Fields, GateRefuses,
    testing::Values(Trick{"folded", post("X-A: b\r\n c\r\n"), 400, "folded"},
                    Trick{"folded_tab", post("X-A: b\r\n\tc\r\n"), 400, "folded"},
                    Trick{"folded_first", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "folded"},
                    Trick{"no_host", "GET / HTTP/1.1\r\n\r\n", 400, "Host"},
                    Trick{"two_hosts", post("Host: i\r\n"), 400, "several"},
                    Trick{"two_hosts_http10", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "several"},
                    Trick{"host_list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "Host"},
                    Trick{"host_path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Host"},
                    Trick{"two_authorizations", post("Authorization: Basic a\r\nauthorization: Basic b\r\n"),
                          400, "one Authorization"},
                    Trick{"space_before_colon", post("Content-Length : 3\r\n"), 400, "before the colon"},
                    Trick{"tab_before_colon", post("X-A\t: 3\r\n"), 400, "before the colon"},
                    Trick{"no_colon", post("X-A\r\n"), 400, "without a colon"},
                    Trick{"empty_name", post(": v\r\n"), 400, "before the colon"},
                    Trick{"odd_name", post("X(A): v\r\n"), 400, "before the colon"},
                    Trick{"nul_in_value", post(std::string("X-A: a\0b\r\n", 10)), 400, "control"},
                    Trick{"cr_in_value", post("X-A: a\rb\r\n"), 400, "control"},
                    Trick{"lf_in_value", post("X-A: a\nX-B: b\r\n"), 400, "control"},
                    Trick{"del_in_value", post("X-A: a\x7f\r\n"), 400, "control"},
                    Trick{"expects_more", post("Expect: 200-ok\r\n"), 417, "100-continue"}),
    trick_name);

INSTANTIATE_TEST_SUITE_P(
    RequestLine, GateRefuses,
    testing::Values(Trick{"http2", "PRI * HTTP/2.0\r\n\r\n", 505, "HTTP/2.0"},
                    Trick{"http12", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505, "HTTP/1.2"},
                    Trick{"http09", "GET /\r\n\r\n", 400, "request line"},
                    Trick{"no_http", "GET / FTP/1.1\r\nHost: h\r\n\r\n", 400, "HTTP/1.1"},
                    Trick{"lower_case_http", "GET / http/1.1\r\nHost: h\r\n\r\n", 400, "HTTP/1.1"},
                    Trick{"two_spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "request line"},
                    Trick{"space_in_target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "HTTP/1.1"},
                    Trick{"trailing_space", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, "HTTP/1.1"},
                    Trick{"control_in_target", "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target"},
                    Trick{"tab_in_target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target"},
                    Trick{"eight_bits_in_target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "target"},
                    Trick{"odd_method", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "method"},
                    Trick{"relative_target", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400, "begins with"},
                    Trick{"authority_form", "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", 400, "begins with"},
                    Trick{"long_target",
                          "GET /" + std::string(kMaxTarget, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414,
                          "8192"}),
    trick_name);

RequestHead accepted(const std::string& raw) {
  auto outcome = read_head(raw);
  if (auto* refusal = std::get_if<Refusal>(&outcome)) {
    ADD_FAILURE() << refusal->message;
    return {};
  }
  return std::get<RequestHead>(std::move(outcome));
}

TEST(Gate, ReadsAHead) {
  const RequestHead head = accepted(
      "POST /api/x%2fy?a=b?c HTTP/1.1\r\nhost: example.org:80\r\nContent-Length: 0017\r\nX-A: \t two words "
      "\t\r\n"
      "X-Empty:\r\nX-Latin: \xe9\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.method_text, "POST");
  EXPECT_EQ(head.path, "/api/x%2fy");
  EXPECT_EQ(head.query, "a=b?c");
  EXPECT_EQ(head.content_length, 17U);
  EXPECT_EQ(head.header("x-a"), "two words");
  EXPECT_TRUE(head.has_header("X-Empty"));
  EXPECT_TRUE(head.expect_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

TEST(Gate, KnowsChunkedInAnyCase) {
  EXPECT_TRUE(accepted(post("Transfer-Encoding: Chunked\r\n")).chunked);
}

TEST(Gate, TakesThePathOfAbsoluteTargets) {
  EXPECT_EQ(accepted("GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n").path, "/a");
  EXPECT_EQ(accepted("GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
  const RequestHead head = accepted("GET http://h?b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "b");
  EXPECT_EQ(accepted("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").path, "*");
}

TEST(Gate, KnowsWhetherToKeepTheConnection) {
  EXPECT_FALSE(accepted(post("Connection: close\r\n")).keep_alive);
  EXPECT_FALSE(accepted(post("Connection: Keep-Alive, Close\r\n")).keep_alive);
  EXPECT_TRUE(accepted(post("Connection: TE\r\n")).keep_alive);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

TEST(Gate, CountsFields) {
  std::string fields;
  for (std::size_t i = 0; i < kMaxFields - 1; ++i) fields += "A: b\r\n";
  accepted(post(fields));
  const auto outcome = read_head(post(fields + "A: b\r\n"));
  ASSERT_TRUE(std::holds_alternative<Refusal>(outcome));
  EXPECT_EQ(std::get<Refusal>(outcome).status, 431);
}

// Any cut of any of the heads above must be refused or read, never more.
TEST(Gate, SurvivesEveryPrefixAndEveryChangedByte) {
  const std::string raw = post("Content-Length: 3\r\nAuthorization: Basic eDp5\r\nConnection: close\r\n");
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_TRUE(std::holds_alternative<Refusal>(read_head(raw.substr(0, size)))) << size;
    for (const char c : {'\0', '\r', '\n', ' ', ':', ',', '\xff'}) {
      std::string changed = raw;
      changed[size] = c;
      const auto outcome = read_head(changed);
      if (const auto* head = std::get_if<RequestHead>(&outcome)) {
        EXPECT_LE(head->headers.size(), 4U);
      }
    }
  }
}

template <class Expected>
Expected scanned(HeadScanner& scanner, std::string_view bytes) {
  const auto outcome = scanner.scan(bytes);
  if (!std::holds_alternative<Expected>(outcome)) {
    ADD_FAILURE() << "outcome " << outcome.index();
    return {};
  }
  return std::get<Expected>(outcome);
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesArrive) {
  const std::string raw = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string before : {"", "\r\n"}) {
    HeadScanner scanner(1024);
    const std::string bytes = before + raw + "body";
    for (std::size_t size = 0; size < before.size() + raw.size(); ++size) {
      scanned<HeadScanner::Incomplete>(scanner, std::string_view(bytes).substr(0, size));
    }
    const auto complete = scanned<HeadScanner::Complete>(scanner, bytes);
    EXPECT_EQ(complete.begin, before.size());
    EXPECT_EQ(complete.end, before.size() + raw.size());
  }
}

TEST(HeadScanner, RefusesWhatIsNoHttpAtOnce) {
  for (const std::string_view bytes :
       {std::string_view("\x16\x03\x01", 3), std::string_view("\0", 1), std::string_view("\n"),
        std::string_view("\r\n\r\n"), std::string_view("\rG"), std::string_view(" GET / HTTP/1.1"),
        std::string_view("{\"a\":1}")}) {
    HeadScanner scanner(1024);
    EXPECT_EQ(scanned<Refusal>(scanner, bytes).status, 400) << shown(bytes);
  }
}

TEST(HeadScanner, RefusesBareLineFeeds) {
  for (const char* bytes :
       {"GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost: h\n", "GET / HTTP/1.1\r\n\n"}) {
    HeadScanner scanner(1024);
    EXPECT_THAT(scanned<Refusal>(scanner, bytes).message, HasSubstr("line feed"));
  }
}

TEST(HeadScanner, HoldsTheLimitToTheByte) {
  const std::string line = "GET / HTTP/1.1\r\nA: ";
  const std::string exact = line + std::string(1000 - line.size() - 4, 'a') + "\r\n\r\n";
  HeadScanner scanner(1000);
  EXPECT_EQ(scanned<HeadScanner::Complete>(scanner, exact).end, 1000U);
  HeadScanner tight(999);
  EXPECT_EQ(scanned<Refusal>(tight, exact).status, 431);
  HeadScanner unfinished(999);
  scanned<HeadScanner::Incomplete>(unfinished, exact.substr(0, 998));
  EXPECT_EQ(scanned<Refusal>(unfinished, exact.substr(0, 999)).status, 431);
}

TEST(HeadScanner, TellsALongTargetFromALongHead) {
  HeadScanner scanner(16384);
  EXPECT_EQ(scanned<Refusal>(scanner, "GET /" + std::string(9000, 'a')).status, 414);
}

}  // namespace
}  // namespace collect::net
