// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "backend/redis/connection.h"
#include "support/redis_server.h"
#include "support/tcp_proxy.h"

namespace collect::redis {
namespace {

using test::RedisServer;
using test::TcpProxy;
using testing::HasSubstr;
using testing::Not;

ConnectionOptions parsed(std::string_view url) {
  auto options = parse_url(url, 1);
  EXPECT_TRUE(options) << url << ": " << (options ? "" : options.failure().message);
  return options ? *options : ConnectionOptions();
}

TEST(RedisUrl, SaysWhereAndWho) {
  auto options = parsed("redis://queue.example:6380/3");
  EXPECT_EQ(options.host, "queue.example");
  EXPECT_EQ(options.port, 6380);
  EXPECT_EQ(options.database, 3);
  EXPECT_EQ(options.password, "");

  options = parsed("redis://user:p%40ss%2f@[::1]");
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.port, 6379);
  EXPECT_EQ(options.database, 1);
  EXPECT_EQ(options.user, "user");
  EXPECT_EQ(options.password, "p@ss/");

  options = parsed("redis://:only@localhost/");
  EXPECT_EQ(options.user, "");
  EXPECT_EQ(options.password, "only");

  options = parsed("unix:///run/redis.sock?db=2");
  EXPECT_EQ(options.unix_socket, "/run/redis.sock");
  EXPECT_EQ(options.database, 2);
}

TEST(RedisUrl, RefusesOthersWithoutRepeatingThem) {
  for (const char* url :
       {"", "localhost:6379", "http://user:secret@host", "rediss://user:secret@host", "redis://user:secret@",
        "redis://:secret@host/x", "redis://:secret@host:0", "redis://:secret@host:99999",
        "redis://:secret@host/-1", "unix://", "unix:///s?db=x"}) {
    const auto options = parse_url(url, 1);
    ASSERT_FALSE(options) << url;
    EXPECT_EQ(options.failure().kind, FailureKind::invalid);
    EXPECT_THAT(options.failure().message, Not(HasSubstr("secret")));
  }
}

ConnectionOptions to(const RedisServer& server) {
  return parsed(server.url());
}

TEST(RedisConnection, TellsWhatTheServerIs) {
  RedisServer server({"--appendfsync", "always", "--maxmemory-policy", "noeviction"});
  auto connection = Connection::open(to(server));
  ASSERT_TRUE(connection) << connection.failure().message;
  const auto facts = server_facts(**connection);
  ASSERT_TRUE(facts) << facts.failure().message;
  EXPECT_GE(facts->major_version, 7);
  EXPECT_FALSE(facts->cluster);
  EXPECT_FALSE(facts->replica);
  EXPECT_EQ(facts->append_only, true);
  EXPECT_EQ(facts->append_fsync, "always");
  EXPECT_EQ(facts->maxmemory_policy, "noeviction");
  EXPECT_EQ(facts->maxmemory, 0U);
}

TEST(RedisConnection, ThatBrokeIsNoServerThatDoesNotTell) {
  RedisServer server;
  TcpProxy wire(server.port());
  auto options = to(server);
  options.port = wire.port();
  auto connection = Connection::open(options);
  ASSERT_TRUE(connection) << connection.failure().message;
  wire.set({.containing = "appendfsync"});
  const auto facts = server_facts(**connection);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.failure().kind, FailureKind::unavailable);
}

TEST(RedisConnection, ShowsThePasswordAndOnlyItsOwnDatabase) {
  RedisServer server;
  server.cli({"config", "set", "requirepass", "open sesame"});
  auto options = to(server);
  auto refused = Connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  options.password = "wrong";
  refused = Connection::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  EXPECT_THAT(refused.failure().message, Not(HasSubstr("wrong")));
  options.password = "open sesame";
  auto connection = Connection::open(options);
  ASSERT_TRUE(connection) << connection.failure().message;
  EXPECT_TRUE((*connection)->command({"SET", "word", "kept"}));
  EXPECT_EQ(server.cli({"--no-auth-warning", "-a", "open sesame", "-n", "1", "get", "word"}), "kept");
}

TEST(RedisConnection, GivesUpOnASilentServer) {
  RedisServer server;
  auto options = to(server);
  options.command_timeout = std::chrono::milliseconds(500);
  auto connection = Connection::open(options);
  ASSERT_TRUE(connection);
  server.pause();
  const auto begin = std::chrono::steady_clock::now();
  const auto reply = (*connection)->command({"PING"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.failure().kind, FailureKind::unavailable);
  EXPECT_FALSE((*connection)->usable());
  server.resume();
}

TEST(RedisConnection, ThePoolNoticesThatTheServerWasRestarted) {
  RedisServer server;
  ConnectionPool pool(to(server));
  {
    auto connection = pool.take();
    ASSERT_TRUE(connection);
    pool.put_back(*std::move(connection));
  }
  server.stop();
  auto none = pool.take();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.failure().kind, FailureKind::unavailable);
  server.start();
  auto connection = pool.take();
  ASSERT_TRUE(connection) << connection.failure().message;
  EXPECT_EQ((*connection)->command({"PING"})->text(), "PONG");
}

TEST(RedisConnection, ListensToAChannel) {
  auto& server = RedisServer::shared();
  auto connection = Connection::open(to(server));
  ASSERT_TRUE(connection);
  ASSERT_TRUE((*connection)->command({"SUBSCRIBE", "news"}));
  auto nothing = (*connection)->receive(std::chrono::milliseconds(20));
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  server.cli({"publish", "news", "one"});
  server.cli({"publish", "news", "two"});
  for (const char* expected : {"one", "two"}) {
    auto message = (*connection)->receive(std::chrono::seconds(5));
    ASSERT_TRUE(message);
    ASSERT_TRUE(message->has_value());
    EXPECT_EQ((*message)->at(0).text(), "message");
    EXPECT_EQ((*message)->at(2).text(), expected);
  }
}

TEST(RedisConnection, TellsMistakesFromOutages) {
  auto& server = RedisServer::shared();
  auto connection = Connection::open(to(server));
  ASSERT_TRUE(connection);
  const auto reply = (*connection)->command({"NOSUCHCOMMAND"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.failure().kind, FailureKind::internal);
  EXPECT_TRUE((*connection)->usable());
}

}  // namespace
}  // namespace collect::redis
