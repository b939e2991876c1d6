// SPDX-License-Identifier: Apache-2.0
#include "backend/redis/invalidation_subscriber.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/redis_server.h"

namespace collect::redis {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::string_view kChannel = "my:auth:invalidate:test";
constexpr std::string_view kHmacSecret = "an-internal-secret-of-32-characters!";

// What the handlers were told, for a test thread to wait for.
class Told {
 public:
  InvalidationSubscriber::Handlers handlers() {
    return {[this](std::string_view key) {
              const std::lock_guard lock(mutex_);
              keys_.emplace_back(key);
              wake_.notify_all();
            },
            [this] {
              const std::lock_guard lock(mutex_);
              ++missed_;
              wake_.notify_all();
            }};
  }
  bool wait_for_keys(std::size_t count) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, 20s, [&] { return keys_.size() >= count; });
  }
  bool wait_for_missed(int count) {
    std::unique_lock lock(mutex_);
    return wake_.wait_for(lock, 20s, [&] { return missed_ >= count; });
  }
  std::vector<std::string> keys() {
    const std::lock_guard lock(mutex_);
    return keys_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> keys_;  // guarded by mutex_
  int missed_ = 0;                 // guarded by mutex_
};

class InvalidationSubscriberTest : public testing::Test {
 protected:
  InvalidationSubscriber::Options options(const test::RedisServer& server, std::string_view hmac_secret) {
    InvalidationSubscriber::Options out;
    out.server = parse_url(server.url(), 1).value();
    out.server.command_timeout = 10s;
    out.channel = kChannel;
    out.hmac_secret = hmac_secret;
    out.ping_interval = 100ms;
    out.first_backoff = 10ms;
    out.longest_backoff = 100ms;
    return out;
  }
  void publish(const test::RedisServer& server, std::string_view hmac_secret, std::string_view key) {
    const auto connection = Connection::open(parse_url(server.url(), 1).value());
    ASSERT_TRUE(connection) << connection.failure().message;
    const auto receivers = publish_invalidation(**connection, kChannel, hmac_secret, key);
    ASSERT_TRUE(receivers) << receivers.failure().message;
    EXPECT_EQ(*receivers, 1);
  }

  Told told;
};

TEST_F(InvalidationSubscriberTest, HearsWhoIsRevoked) {
  const test::RedisServer& server = test::RedisServer::shared();
  const InvalidationSubscriber subscriber(options(server, ""), told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  publish(server, "", "NETH-1");
  server.cli({"publish", std::string(kChannel), "NETH-2"});
  server.cli({"publish", "my:auth:invalidate:elsewhere", "NETH-3"});
  publish(server, "", "NETH-4");
  ASSERT_TRUE(told.wait_for_keys(3));
  EXPECT_THAT(told.keys(), ElementsAre("NETH-1", "NETH-2", "NETH-4"));
}

TEST_F(InvalidationSubscriberTest, WithASecretOnlyItsHoldersAreHeard) {
  const test::RedisServer& server = test::RedisServer::shared();
  const InvalidationSubscriber subscriber(options(server, kHmacSecret), told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  publish(server, "", "NETH-1");
  publish(server, "another-secret-of-at-least-32-characters", "NETH-2");
  publish(server, kHmacSecret, "NETH-3");
  ASSERT_TRUE(told.wait_for_keys(1));
  EXPECT_THAT(told.keys(), ElementsAre("NETH-3"));
  EXPECT_EQ(subscriber.counters().received, 3U);
  EXPECT_EQ(subscriber.counters().ignored, 2U);
}

TEST_F(InvalidationSubscriberTest, OutlivesPingsThatMeetMessages) {
  const test::RedisServer& server = test::RedisServer::shared();
  auto quick = options(server, "");
  quick.ping_interval = 0ms;
  const InvalidationSubscriber subscriber(quick, told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  const auto connection = Connection::open(quick.server);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(publish_invalidation(**connection, kChannel, "", "NETH-" + std::to_string(i)));
    if (i % 100 == 99) std::this_thread::sleep_for(250ms);
  }
  ASSERT_TRUE(told.wait_for_keys(300));
  EXPECT_EQ(subscriber.counters().lost, 0U);
}

TEST_F(InvalidationSubscriberTest, ALostSubscriptionIsToldAndTakenUpAgain) {
  test::RedisServer server;
  const InvalidationSubscriber subscriber(options(server, ""), told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  server.kill_hard();
  ASSERT_TRUE(told.wait_for_missed(2));
  EXPECT_FALSE(subscriber.subscribed());
  server.start();
  ASSERT_TRUE(told.wait_for_missed(3));  // for what was remembered while nobody listened
  publish(server, "", "NETH-1");
  EXPECT_TRUE(told.wait_for_keys(1));
  EXPECT_EQ(subscriber.counters().subscribed, 2U);
}

TEST_F(InvalidationSubscriberTest, AServerThatFellSilentIsALostSubscription) {
  test::RedisServer server;
  auto impatient = options(server, "");
  impatient.server.command_timeout = 500ms;
  const InvalidationSubscriber subscriber(impatient, told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  server.pause();
  EXPECT_TRUE(told.wait_for_missed(2));
  server.resume();
  EXPECT_TRUE(told.wait_for_missed(3));
}

TEST_F(InvalidationSubscriberTest, AConnectionThatTheServerClosesIsToo) {
  test::RedisServer server;
  const InvalidationSubscriber subscriber(options(server, ""), told.handlers());
  ASSERT_TRUE(told.wait_for_missed(1));
  server.cli({"client", "kill", "type", "pubsub"});
  EXPECT_TRUE(told.wait_for_missed(3));
}

TEST_F(InvalidationSubscriberTest, StartsWithoutAServerAndEndsAtOnce) {
  test::RedisServer server;
  const auto where = options(server, "");
  server.stop();
  const auto begin = std::chrono::steady_clock::now();
  { const InvalidationSubscriber subscriber(where, told.handlers()); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  const InvalidationSubscriber subscriber(where, told.handlers());
  server.start();
  EXPECT_TRUE(told.wait_for_missed(1));
}

}  // namespace
}  // namespace collect::redis
