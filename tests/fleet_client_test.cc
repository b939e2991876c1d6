// SPDX-License-Identifier: Apache-2.0
// The simulated appliances' HTTP client against our own server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "base/pool.h"
#include "fleet/client.h"
#include "net/server.h"

namespace collect::fleet {
namespace {

constexpr std::uint64_t kBody = 1 << 20;

net::Response response(int status, std::string body = "") {
  net::Response made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

class FleetClientTest : public testing::Test {
 protected:
  FleetClientTest() {
    router_.add(net::Method::post, "/echo",
                net::open_to_all(kBody, net::BodyUse::buffer, [](const net::Request& request) {
                  return response(200, std::string(request.header("Authorization")) + " " +
                                           std::string(request.header("Content-Type")) + " " + request.body);
                }));
    router_.add(net::Method::post, "/busy",
                net::open_to_all(kBody, net::BodyUse::buffer, [this](const net::Request& request) {
                  if (refusals_-- > 0) return response(503).with("Retry-After", "1");
                  return response(202, request.body);
                }));
    router_.add(net::Method::get, "/hello",
                net::open_to_all(0, net::BodyUse::ignore,
                                 [](const net::Request&) { return response(404, "nobody"); }));
    const auto started = server_.start();
    if (!started) throw std::runtime_error(started.failure().message);
  }

  Client client() { return Client("http://" + server_.address()); }

  const Credentials credentials_{"NOC-1", "my_public.secret"};
  std::atomic<int> refusals_{0};
  SystemClock clock_;
  net::Router router_;
  Pool pool_{2, 8};
  net::Server server_{
      {.listen_address = "127.0.0.1:0", .tls = nullptr, .io_threads = 1}, router_, pool_, clock_};
};

TEST_F(FleetClientTest, SendsCredentialsAndBodyOverOneConnection) {
  auto sender = client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = sender.post("/echo", R"({"a": 1})", credentials_);
    ASSERT_TRUE(answer.ok()) << answer.failure().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, R"(Basic Tk9DLTE6bXlfcHVibGljLnNlY3JldA== application/json {"a": 1})");
  }
  EXPECT_EQ(server_.counters().connections_accepted.load(), 1U);
}

TEST_F(FleetClientTest, AHeartbeatHasNoBodyAndMayFollowAGet) {
  auto sender = client();
  const auto hello = sender.get("/hello", credentials_);
  ASSERT_TRUE(hello.ok()) << hello.failure().message;
  EXPECT_EQ(hello->status, 404);
  EXPECT_EQ(hello->body, "nobody");
  const auto answer = sender.post("/echo", "", credentials_);
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_THAT(answer->body, testing::EndsWith("==  "));
}

TEST_F(FleetClientTest, ComesBackWhenItWasAskedTo) {
  auto sender = client();
  refusals_ = 1;
  int asked = 0;
  const auto answer = sender.post_until_taken("/busy", "{}", credentials_, [&](std::chrono::seconds pause) {
    ++asked;
    EXPECT_EQ(pause, std::chrono::seconds(1));
    return true;
  });
  ASSERT_TRUE(answer.ok()) << answer.failure().message;
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(asked, 1);

  refusals_ = 1;
  const auto refused =
      sender.post_until_taken("/busy", "{}", credentials_, [](std::chrono::seconds) { return false; });
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, 503);
}

TEST_F(FleetClientTest, SaysWhyThereIsNoAnswer) {
  Client nowhere("http://127.0.0.1:1");
  const auto answer = nowhere.get("/hello", credentials_);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(answer.failure().message, testing::HasSubstr("http://127.0.0.1:1/hello gave no answer"));
}

}  // namespace
}  // namespace collect::fleet
