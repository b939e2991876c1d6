// SPDX-License-Identifier: Apache-2.0
// Against the door of this same room. What only TLS shows is in tests/alerts.
#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/json.h"
#include "net/server.h"

namespace collect::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    for (const Method method : {Method::get, Method::post, Method::put, Method::delete_}) {
      router_.add(method, "/echo", open_to_all(100'000, BodyUse::buffer, &echo));
    }
    router_.add(Method::get, "/moved", open_to_all(0, BodyUse::ignore, [](const Request&) {
                  Response response;
                  response.status = 302;
                  return std::move(response).with("Location", "/echo");
                }));
    router_.add(Method::get, "/long", open_to_all(0, BodyUse::ignore, [](const Request&) {
                  Response response;
                  response.body = std::string(5000, 'x');
                  return response;
                }));
    router_.add(Method::get, "/slow", open_to_all(0, BodyUse::ignore, [](const Request&) {
                  std::this_thread::sleep_for(2s);
                  return envelope(200, "late");
                }));
  }

  static Response echo(const Request& request) {
    json::Writer w;
    w.begin_object().member("method", request.method_text).member("body", request.body);
    w.member("query", request.query).key("headers").begin_object();
    for (std::size_t i = 0; i < request.headers.size(); ++i) {
      w.member(request.headers.name(i), request.headers.value(i));
    }
    w.end_object().end_object();
    Response response;
    response.status = request.method == Method::put ? 500 : 200;
    response.body = std::move(w).text();
    return response;
  }

  void SetUp() override { ASSERT_TRUE(server_.start().ok()); }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
  }

  static ServerOptions any_port() {
    ServerOptions options;
    options.listen_address = "127.0.0.1:0";
    return options;
  }

  Router router_;
  Pool pool_{4, 100};
  SystemClock clock_;
  Server server_{any_port(), router_, pool_, clock_};
};

TEST_F(HttpClientTest, SendsMethodHeadersAndBodyAndNothingOfItsOwnInvention) {
  HttpClient client({});
  const auto answer =
      client.send({"POST", url("/echo?a=%2F"), {{"X-One", "1"}, {"X-Empty", ""}}, "one\r\ntwo"});
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->header("content-type"), kJson);
  const auto seen = json::Document::parse(answer->body);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->root().at({"method"})->text, "POST");
  EXPECT_EQ(seen->root().at({"body"})->text, "one\r\ntwo");
  EXPECT_EQ(seen->root().at({"query"})->text, "a=%2F");
  const json::Value& headers = *seen->root().find("headers");
  std::set<std::string> names;
  for (const auto& member : headers.members) names.insert(std::string(member.key));
  EXPECT_THAT(names, testing::UnorderedElementsAre("Host", "User-Agent", "Accept", "X-One", "X-Empty",
                                                   "Content-Length"));
  EXPECT_EQ(headers.find("X-One")->text, "1");
  EXPECT_EQ(headers.find("X-Empty")->text, "");
}

TEST_F(HttpClientTest, KnowsTheMethodsAndTakesEveryStatusForAnAnswer) {
  HttpClient client({});
  for (const auto* method : {"GET", "DELETE", "POST"}) {
    const auto answer = client.send({method, url("/echo"), {}, ""});
    ASSERT_TRUE(answer.ok()) << answer.failure().message;
    EXPECT_THAT(answer->body, HasSubstr("\"method\":\"" + std::string(method) + "\""));
  }
  EXPECT_EQ(client.send({"PUT", url("/echo"), {}, "x"})->status, 500);
  const auto head = client.send({"HEAD", url("/echo"), {}, ""});
  ASSERT_TRUE(head.ok()) << head.failure().message;
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
}

TEST_F(HttpClientTest, KeepsItsConnection) {
  HttpClient client({});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.send({"GET", url("/echo"), {}, ""}).ok());
  EXPECT_EQ(server_.counters().connections_accepted.load(), 1U);
}

TEST_F(HttpClientTest, ServesSeveralThreadsAtOnce) {
  HttpClient client({});
  std::vector<std::jthread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto body = std::to_string(t) + "/" + std::to_string(i);
        const auto answer = client.send({"POST", url("/echo"), {}, body});
        if (answer && answer->body.find("\"body\":\"" + body + "\"") != std::string::npos) ++right;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 80);
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) {
  HttpClient client({});
  const auto answer = client.send({"GET", url("/moved"), {}, ""});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(answer->header("LOCATION"), "/echo");
}

TEST_F(HttpClientTest, BoundsTheAnswer) {
  HttpClientOptions options;
  options.max_answer_bytes = 1000;
  const auto refused = HttpClient(options).send({"GET", url("/long"), {}, ""});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().kind, FailureKind::invalid);
  EXPECT_THAT(refused.failure().message, HasSubstr("more than 1000 bytes"));
  options.long_answer = LongAnswer::cut;
  const auto cut = HttpClient(options).send({"GET", url("/long"), {}, ""});
  ASSERT_TRUE(cut.ok()) << cut.failure().message;
  EXPECT_EQ(cut->body, std::string(1000, 'x'));
}

TEST_F(HttpClientTest, GivesUpOnTheSlowAndTheAbsent) {
  HttpClientOptions options;
  options.timeout = 100ms;
  const auto slow = HttpClient(options).send({"GET", url("/slow"), {}, ""});
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.failure().kind, FailureKind::unavailable);
  const auto absent = HttpClient({}).send({"GET", "http://127.0.0.1:1/secret-path?token=t", {}, ""});
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(absent.failure().message, HasSubstr("http://127.0.0.1:1 gave no answer"));
  EXPECT_THAT(absent.failure().message, Not(HasSubstr("secret")));
  const auto nowhere = HttpClient({}).send({"GET", "http://host.invalid/", {}, ""});
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.failure().kind, FailureKind::unavailable);
}

TEST_F(HttpClientTest, RefusesWhatIsNoRequest) {
  HttpClient client({});
  const std::vector<ClientRequest> wrong = {
      {"GET", "file:///etc/hostname", {}, ""},
      {"GET", "ftp://127.0.0.1/", {}, ""},
      {"GET", "http://user:pass@127.0.0.1/", {}, ""},
      {"GET", "127.0.0.1", {}, ""},
      {"GET", "", {}, ""},
      {"GET", url("/echo\r\nX-More: 1"), {}, ""},
      {"GE T", url("/echo"), {}, ""},
      {"GET", url("/echo"), {{"X-A", "1\r\nX-B: 2"}}, ""},
      {"GET", url("/echo"), {{"X A", "1"}}, ""},
  };
  for (const auto& request : wrong) {
    const auto answer = client.send(request);
    ASSERT_FALSE(answer.ok()) << request.url;
    EXPECT_EQ(answer.failure().kind, FailureKind::invalid);
    EXPECT_THAT(answer.failure().message, Not(HasSubstr("pass@")));
  }
}

TEST(HttpOriginTest, LeavesOutWhatMayBeASecret) {
  EXPECT_EQ(http_origin("https://chat.example.org/hooks/abcdef?key=1"), "https://chat.example.org");
  EXPECT_EQ(http_origin("http://[::1]:8065/hooks/abcdef"), "http://[::1]:8065");
}

}  // namespace
}  // namespace collect::net
