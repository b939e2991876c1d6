// SPDX-License-Identifier: Apache-2.0
// The door over real sockets: what HTTP promises.
#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/raw_client_for_test.h"
#include "support/wires.h"

namespace collect::net {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr std::uint64_t kMaxBody = 100'000;

class ServerTest : public testing::TestWithParam<Wire> {
 protected:
  ServerTest() {
    const auto echo = [this](Request request) {
      ++handled_;
      Response response;
      response.content_type = "application/octet-stream";
      response.body = std::move(request.body);
      return response;
    };
    router_.add(Method::post, "/echo", open_to_all(kMaxBody, BodyUse::buffer, echo));
    router_.add(Method::get, "/echo", open_to_all(0, BodyUse::buffer, [](const Request& request) {
                  return envelope(200, request.path + "?" + request.query);
                }));
    router_.add(Method::post, "/ignore",
                open_to_all(kMaxBody, BodyUse::ignore, [this](const Request& request) {
                  ++handled_;
                  return envelope(200, request.body.empty() ? "ignored" : "kept");
                }));
    router_.add(Method::post, "/closed",
                {[](const RequestHead&) -> Admission { return envelope(401, "no entry"); }});
    router_.add(Method::post, "/throws",
                open_to_all(kMaxBody, BodyUse::buffer,
                            [](const Request&) -> Response { throw std::runtime_error("on purpose"); }));
    router_.add(
        Method::post, "/no-memory",
        open_to_all(kMaxBody, BodyUse::buffer, [](const Request&) -> Response { throw std::bad_alloc(); }));
    router_.add(Method::get, "/admit-throws",
                {[](const RequestHead&) -> Admission { throw std::runtime_error("on purpose"); }});
    router_.add(Method::post, "/asks/{who}", {[echo](const RequestHead& head) -> Admission {
                  Blocking blocking;
                  blocking.decide = [&head, echo]() -> std::variant<Response, Accepted> {
                    if (head.params.at(0) == "bug") throw std::runtime_error("on purpose");
                    if (head.params.at(0) != "friend") return envelope(401, "no entry");
                    return Accepted{kMaxBody, BodyUse::buffer, echo};
                  };
                  return blocking;
                }});
    router_.add(Method::get, "/nothing", open_to_all(0, BodyUse::ignore, [](const Request&) {
                  Response response;
                  response.status = 204;
                  return response;
                }));
  }

  void SetUp() override {
    const auto started = server_.start();
    ASSERT_TRUE(started.ok()) << started.failure().message;
  }
  RawClient client() { return RawClient(server_.port(), GetParam()); }

  static std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string get(const std::string& path, const std::string& fields = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
  }
  static std::string chunked(const std::string& path, const std::string& raw) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + raw;
  }

  std::atomic<int> handled_{0};
  static ServerOptions options() {
    ServerOptions chosen;
    chosen.listen_address = "127.0.0.1:0";
    chosen.tls = identity_for(GetParam());
    return chosen;
  }

  Router router_;
  Pool pool_{4, 1000};
  SystemClock clock_;
  Server server_{options(), router_, pool_, clock_};
};

TEST_P(ServerTest, AnswersWithAllItsHeaders) {
  RawClient c = client();
  const RawAnswer answer = c.ask(get("/echo?a=b"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"code":200,"message":"/echo?a=b","data":null})");
  EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_THAT(answer.header("X-Request-Id"), MatchesRegex("[0-9a-f]{6}-[0-9a-f]{8}"));
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(answer.header("Date"), HasSubstr(" GMT"));
  EXPECT_EQ(answer.header("Connection"), "");
}

TEST_P(ServerTest, KeepsAConnectionForManyRequests) {
  RawClient c = client();
  std::string last_id;
  for (int i = 0; i < 50; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 997, static_cast<char>('a' + i % 26));
    const RawAnswer answer = c.ask(post("/echo", body));
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, body);
    EXPECT_NE(answer.header("X-Request-Id"), last_id);
    last_id = answer.header("X-Request-Id");
  }
  EXPECT_EQ(server_.counters().connections_accepted, 1U);
  EXPECT_EQ(server_.counters().requests, 50U);
  EXPECT_EQ(server_.counters().answers[2], 50U);
}

TEST_P(ServerTest, AnswersPipelinedRequestsInOrder) {
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += post("/echo", "number " + std::to_string(i));
    all += get("/echo?" + std::to_string(i));
    all += chunked("/echo", "3\r\nabc\r\n0\r\n\r\n");
    all += post("/closed", "dropped");
    all += post("/asks/friend", "asked");
  }
  RawClient c = client();
  std::thread sender([&] { c.send(all); });
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(c.receive().body, "number " + std::to_string(i));
    EXPECT_THAT(c.receive().body, HasSubstr("/echo?" + std::to_string(i) + "\""));
    EXPECT_EQ(c.receive().body, "abc");
    EXPECT_EQ(c.receive().status, 401);
    EXPECT_EQ(c.receive().body, "asked");
  }
  sender.join();
}

TEST_P(ServerTest, ReadsRequestsByteByByte) {
  RawClient c = client();
  const std::string raw =
      "\r\n" + post("/echo", "hello") + chunked("/echo", "5\r\nworld\r\n0\r\nT: r\r\n\r\n");
  for (const char byte : raw) ASSERT_TRUE(c.send({&byte, 1}));
  EXPECT_EQ(c.receive().body, "hello");
  EXPECT_EQ(c.receive().body, "world");
}

TEST_P(ServerTest, ReadsLargeBodies) {
  RawClient c = client();
  std::string body(kMaxBody, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  std::thread sender([&] { c.send(post("/echo", body)); });
  EXPECT_EQ(c.receive().body, body);
  sender.join();
  std::string chunks;
  for (std::size_t at = 0; at < body.size(); at += 1000) chunks += "3e8\r\n" + body.substr(at, 1000) + "\r\n";
  std::thread second([&] { c.send(chunked("/echo", chunks + "0\r\n\r\n")); });
  EXPECT_EQ(c.receive().body, body);
  second.join();
  EXPECT_EQ(server_.counters().body_bytes_held, 0U);
}

TEST_P(ServerTest, TakesAPostWithNothing) {
  RawClient c = client();
  const RawAnswer answer = c.ask("POST /ignore HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("ignored"));
  EXPECT_THAT(c.ask(post("/ignore", "some body")).body, HasSubstr("ignored"));
  EXPECT_THAT(c.ask(chunked("/ignore", "4\r\nbody\r\n0\r\n\r\n")).body, HasSubstr("ignored"));
}

TEST_P(ServerTest, AnswersHeadWithoutABody) {
  RawClient c = client();
  c.send("HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawAnswer answer = c.receive(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Length"), std::to_string(envelope(200, "/echo?").body.size()));
  EXPECT_EQ(c.ask(get("/nothing")).status, 204);
  EXPECT_EQ(c.ask(get("/unknown")).status, 404);
  const RawAnswer wrong = c.ask(get("/ignore"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "POST");
}

TEST_P(ServerTest, ClosesWhenAskedTo) {
  RawClient one = client();
  EXPECT_EQ(one.ask(get("/echo", "Connection: close\r\n")).header("Connection"), "close");
  EXPECT_TRUE(one.ended());
  RawClient old = client();
  EXPECT_EQ(old.ask("GET /echo HTTP/1.0\r\n\r\n").header("Connection"), "close");
  EXPECT_TRUE(old.ended());
  RawClient kept = client();
  EXPECT_EQ(kept.ask("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").header("Connection"),
            "keep-alive");
  EXPECT_EQ(kept.ask(get("/echo")).status, 200);
}

TEST_P(ServerTest, SendsContinueOnlyAfterAdmission) {
  for (const std::string path : {"/echo", "/asks/friend"}) {
    RawClient c = client();
    c.send("POST " + path + " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(c.receive().head, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(c.ask("hello").body, "hello");
    EXPECT_EQ(c.ask(get("/echo")).status, 200);
  }
  for (const std::string path : {"/closed", "/asks/stranger"}) {
    RawClient c = client();
    c.send("POST " + path + " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(c.receive().status, 401);
    EXPECT_TRUE(c.ended());
  }
}

TEST_P(ServerTest, NeedsNoContinueForABodyThatIsHere) {
  RawClient c = client();
  EXPECT_EQ(c.ask(post("/echo", "hello", "Expect: 100-continue\r\n")).body, "hello");
}

TEST_P(ServerTest, DecidesOnThePoolWhenAsked) {
  RawClient c = client();
  EXPECT_EQ(c.ask(post("/asks/friend", std::string(50'000, 'x'))).body.size(), 50'000U);
  EXPECT_EQ(c.ask(post("/asks/stranger", "")).status, 401);
  EXPECT_EQ(c.ask(post("/asks/bug", "")).status, 500);
}

// A client that has sent half of a large body must see the refusal, not a reset.
TEST_P(ServerTest, LetsARefusedClientSeeTheAnswer) {
  RawClient c = client();
  c.send("POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" + std::string(1000, 'x'));
  const RawAnswer answer = c.receive();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(c.send(std::string(499'000, 'x')));
  c.done_sending();
  EXPECT_TRUE(c.ended());
  EXPECT_EQ(handled_, 0);
}

TEST_P(ServerTest, RefusesLargeBodiesBeforeTheyCome) {
  RawClient c = client();
  const RawAnswer answer =
      c.ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kMaxBody + 1) + "\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body,
            R"({"code":413,"message":"request body too large","data":{"max_size_bytes":100000}})");
  RawClient ignored = client();
  EXPECT_EQ(ignored.ask("POST /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n").status, 413);
  RawClient nothing_wanted = client();
  EXPECT_EQ(nothing_wanted.ask(get("/echo", "Content-Length: 1\r\n")).status, 413);
}

TEST_P(ServerTest, RefusesLargeBodiesWhileTheyCome) {
  for (const std::string path : {"/echo", "/ignore"}) {
    RawClient c = client();
    c.send(chunked(path, "186a0\r\n" + std::string(kMaxBody, 'x') + "\r\n1\r\n"));
    EXPECT_EQ(c.receive().status, 413) << path;
    c.done_sending();
    EXPECT_TRUE(c.ended());
  }
  EXPECT_EQ(server_.counters().of(Refused::body_too_large), 2U);
  EXPECT_EQ(handled_, 0);
}

TEST_P(ServerTest, RefusesBodiesThatBreakOff) {
  RawClient c = client();
  c.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nshort");
  c.done_sending();
  EXPECT_THAT(c.receive().body, HasSubstr("expected a body of 10 bytes, the connection ended after 5 bytes"));
  EXPECT_TRUE(c.ended());
  RawClient chunks = client();
  chunks.send(chunked("/echo", "5\r\nhello\r\n"));
  chunks.done_sending();
  EXPECT_EQ(chunks.receive().status, 400);
  client().send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nshort");
  RawClient rude = client();
  rude.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nshort");
  rude.reset();
  EXPECT_EQ(client().ask(get("/echo")).status, 200);
  EXPECT_EQ(handled_, 0);
}

TEST_P(ServerTest, RefusesAtTheGateAndCloses) {
  const std::string smuggled = "GET /echo?smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string line = "POST /echo HTTP/1.1\r\nHost: h\r\n";
  const std::vector<std::pair<std::string, int>> tricks = {
      {line + "Transfer-Encoding: gzip\r\n\r\n", 400},
      {line + "Transfer-Encoding: xchunked\r\n\r\n", 400},
      {line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
      {line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {line + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
      {line + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n", 400},
      {line + "Content-Length: +5\r\n\r\nhello", 400},
      {line + "Content-Length : 5\r\n\r\nhello", 400},
      {line + "X-A: b\r\n c\r\n\r\n", 400},
      {line + "Host: i\r\n\r\n", 400},
      {line + "Authorization: Basic a\r\nAuthorization: Basic b\r\n\r\n", 400},
      {line + std::string("X-A: a\0b\r\n\r\n", 12), 400},
      {"GET /echo HTTP/1.1\r\n\r\n", 400},
      {"GET /e\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /echo HTTP/1.1\nHost: h\n\n", 400},
      {"\x16\x03\x01 hello", 400},
      {"GET /echo HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: h\r\nX-A: " + std::string(17'000, 'a') + "\r\n\r\n", 431},
      {chunked("/echo", "5\r\nhelloworld\r\n0\r\n\r\n"), 400},
      {chunked("/echo", "0x5\r\nhello\r\n0\r\n\r\n"), 400},
  };
  for (const auto& [raw, status] : tricks) {
    RawClient c = client();
    c.send(raw + smuggled);
    const RawAnswer answer = c.receive();
    EXPECT_EQ(answer.status, status) << raw.substr(0, 200);
    EXPECT_THAT(answer.body, HasSubstr("\"code\":" + std::to_string(status)));
    EXPECT_THAT(answer.body, HasSubstr("expected"));
    EXPECT_NE(answer.header("X-Request-Id"), "");
    EXPECT_EQ(answer.header("Connection"), "close");
    c.done_sending();
    EXPECT_TRUE(c.ended()) << raw.substr(0, 200);
  }
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(server_.counters().of(Refused::header_too_large), 2U);
  EXPECT_EQ(server_.counters().of(Refused::malformed), tricks.size() - 2);
}

TEST_P(ServerTest, DoesNotTakeTrailersForHeaders) {
  RawClient c = client();
  EXPECT_EQ(c.ask(chunked("/echo", "2\r\nok\r\n0\r\nContent-Length: 5\r\nHost: evil\r\n\r\n")).body, "ok");
  EXPECT_EQ(c.ask(get("/echo")).status, 200);
}

TEST_P(ServerTest, TurnsExceptionsInto500) {
  RawClient c = client();
  const RawAnswer answer = c.ask(post("/throws", "x"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, R"({"code":500,"message":"internal error","data":{"request_id":")" +
                             answer.header("X-Request-Id") + R"("}})");
  EXPECT_THAT(answer.body, Not(HasSubstr("purpose")));
  EXPECT_EQ(c.ask(get("/admit-throws")).status, 500);
  EXPECT_EQ(c.ask(get("/echo")).status, 200);
  EXPECT_EQ(server_.counters().handler_failures, 2U);
}

TEST_P(ServerTest, AsksToComeAgainWhenThereIsNoMemory) {
  RawClient c = client();
  const RawAnswer answer = c.ask(post("/no-memory", "x"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("Retry-After"), "");
  EXPECT_EQ(c.ask(get("/echo")).status, 200);
  EXPECT_EQ(server_.counters().handler_failures, 0U);
  EXPECT_EQ(server_.counters().of(Refused::overloaded), 1U);
}

TEST_P(ServerTest, NamesWhyItCannotListen) {
  ServerOptions taken;
  taken.listen_address = server_.address();
  Server second(taken, router_, pool_, clock_);
  const auto started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.failure().kind, FailureKind::unavailable);
  EXPECT_EQ(started.failure().message, "cannot listen on " + server_.address() + ": Address already in use");
  for (const char* address :
       {"", "host", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "::1:80", "[127.0.0.1]:80"}) {
    taken.listen_address = address;
    Server none(taken, router_, pool_, clock_);
    const auto refused = none.start();
    ASSERT_FALSE(refused.ok()) << address;
    EXPECT_EQ(refused.failure().kind, FailureKind::invalid) << address;
  }
}

TEST_P(ServerTest, ListensOnNamesAndOnAllAddresses) {
  for (const char* address : {"localhost:0", ":0", "0.0.0.0:0", "[::]:0"}) {
    ServerOptions options;
    options.listen_address = address;
    Server server(options, router_, pool_, clock_);
    const auto started = server.start();
    if (!started.ok() && std::string_view(address).find("0.0.0.0") == std::string_view::npos) {
      GTEST_LOG_(INFO) << started.failure().message;  // a machine without IPv6
      continue;
    }
    EXPECT_EQ(RawClient(server.port()).ask(get("/echo")).status, 200) << address;
  }
}

INSTANTIATE_TEST_SUITE_P(Wires, ServerTest, testing::Values(Wire::plain, Wire::tls), wire_name);

}  // namespace
}  // namespace collect::net
