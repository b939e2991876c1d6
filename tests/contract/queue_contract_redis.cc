// SPDX-License-Identifier: Apache-2.0
// The queue's contract on Redis, and what only that has: names that people and other programs use, and a
// server that can be away, slow, full or emptied of scripts.
#include <thread>

#include "backend/redis/redis_queue.h"
#include "contract/queue_contract.h"
#include "support/redis_server.h"

namespace collect::queue::test {
namespace {

using collect::test::RedisServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::milliseconds kPatience{1500};

redis::RedisQueueOptions options_for(const RedisServer& server, const QueueSettings& settings = {}) {
  redis::RedisQueueOptions options;
  options.connection = must(redis::parse_url(server.url(), 1));
  options.connection.command_timeout = kPatience;
  options.max_depth = settings.max_depth;
  options.lease = settings.lease;
  return options;
}

std::unique_ptr<redis::RedisQueue> open_on(const RedisServer& server, const QueueSettings& settings = {}) {
  return must(redis::RedisQueue::open(options_for(server, settings)));
}

class RedisEngine final : public Engine {
 public:
  RedisEngine() { RedisServer::shared().flush(); }
  std::unique_ptr<Queue> open(const QueueSettings& settings) override {
    return open_on(RedisServer::shared(), settings);
  }
};

INSTANTIATE_TEST_SUITE_P(Redis, QueueContract,
                         testing::Values(EngineCase{"redis", [] { return std::make_unique<RedisEngine>(); }}),
                         [](const auto& engine) { return engine.param.name; });

std::string cli(const RedisServer& server, std::vector<std::string> words) {
  words.insert(words.begin(), {"-n", "1"});
  return server.cli(std::move(words));
}

TEST(RedisQueueTest, PeopleSeeTheNamesThatTheyKnow) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  put(*queue, {"a", "b", "c", "d"});
  put(*queue, {"n"}, Stage::notification);
  EXPECT_EQ(cli(server, {"llen", "collect:inventory"}), "4");
  EXPECT_EQ(cli(server, {"llen", "collect:notifications"}), "1");
  EXPECT_EQ(cli(server, {"lrange", "collect:inventory", "0", "-1"}), "d\nc\nb\na");
  taken(*queue, worker("w"), {.messages = 3});
  settle(*queue, worker("w"),
         {.onward = {{Stage::processing, "p"}},
          .delayed = {{"b", parse_rfc3339("2030-01-01T00:00:00.250000Z").value()}},
          .dead = {"c"}});
  EXPECT_EQ(cli(server, {"lrange", "collect:inventory:dead", "0", "-1"}), "c");
  EXPECT_EQ(cli(server, {"zcard", "collect:inventory:delayed"}), "1");
  EXPECT_EQ(cli(server, {"zscore", "collect:inventory:delayed", "b"}), "1893456000.25");
  EXPECT_EQ(cli(server, {"llen", "collect:processing"}), "1");
}

TEST(RedisQueueTest, MessagesOfAnotherEngineKeepTheirPartsAndOrder) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server, {.max_depth = 1});
  const Time soon = Time(std::chrono::seconds(2'000'000'000));
  const std::vector<Delayed> messages = {{"older", soon + std::chrono::milliseconds(1500)}, {"newer", soon}};
  for (const Part part : {Part::ready, Part::delayed, Part::dead}) {
    EXPECT_TRUE(queue->put(Stage::processing, part, messages).ok());
    EXPECT_TRUE(queue->put(Stage::processing, part, {}).ok());
  }
  EXPECT_THAT(must(queue->peek(Stage::processing, Part::ready, 9)), ElementsAre("older", "newer"));
  EXPECT_THAT(must(queue->peek(Stage::processing, Part::delayed, 9)), ElementsAre("newer", "older"));
  EXPECT_THAT(must(queue->peek(Stage::processing, Part::dead, 9)), ElementsAre("newer", "older"));
  EXPECT_EQ(cli(server, {"zscore", "collect:processing:delayed", "older"}), "2000000001.5");
  EXPECT_TRUE(queue->put(Stage::processing, Part::delayed, messages).ok());
  EXPECT_EQ(cli(server, {"zcard", "collect:processing:delayed"}), "2");
}

TEST(RedisQueueTest, NothingIsLeftOfAnEmptyQueue) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  put(*queue, {text_of("a", 1), text_of("b", 1)});
  taken(*queue, worker("w"));
  settle(*queue, worker("w"));
  EXPECT_EQ(cli(server, {"dbsize"}), "0");
}

TEST(RedisQueueTest, TakesWhatOthersPush) {
  auto& server = RedisServer::shared();
  server.flush();
  cli(server, {"lpush", "collect:inventory", R"({"type":"inventory","system_id" : "s","data":{}})"});
  cli(server, {"zadd", "collect:inventory:delayed", "17", "from long ago"});
  const auto queue = open_on(server);
  EXPECT_EQ(must(queue->upkeep(kStage)), 1U);
  EXPECT_THAT(taken(*queue, worker("w")),
              ElementsAre(R"({"type":"inventory","system_id" : "s","data":{}})", "from long ago"));
  EXPECT_EQ(cli(server, {"hkeys", "collect:inventory:busy"}), "s");
}

// Lua and C++ have to agree on whose message a text is.
TEST(RedisQueueTest, FindsTheSameSystemAsSystemOf) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  for (const std::string& text :
       {text_of("s", 1), std::string(R"({"a":"system_id","system_id":"x"})"), std::string(R"("system_id")"),
        std::string(R"("system_id":"cut)"), std::string(R"("system_id" :  "a b" "system_id":"c")"),
        std::string(R"("system_id":null,"system_id":"c")"), std::string("\"system_id\":\t\"tab\""),
        std::string("\"system_id\":\"nul\0nul\"", 22), std::string(R"("system_id":"")"),
        std::string(R"("system_id":"[%a.-]+")")}) {
    put(*queue, {text});
    EXPECT_EQ(taken(*queue, worker("w")), Texts{text});
    const std::string busy = cli(server, {"--raw", "hkeys", "collect:inventory:busy"});
    EXPECT_EQ(busy, std::string(system_of(text))) << text;
    settle(*queue, worker("w"));
    EXPECT_EQ(cli(server, {"hlen", "collect:inventory:busy"}), "0") << text;
  }
}

TEST(RedisQueueTest, ABusyMarkWithoutALeaseIsStale) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  cli(server, {"hset", "collect:inventory:busy", "s", "nobody:1:2:3"});
  put(*queue, {text_of("s", 1)});
  EXPECT_EQ(taken(*queue, worker("w")).size(), 1U);
}

TEST(RedisQueueTest, IsUnavailableWhileTheServerIsAwayAndGoesOnAfterwards) {
  RedisServer server;
  // With `everysec` a kill may cost what Redis put off while it synced.
  server.cli({"config", "set", "appendfsync", "always"});
  const auto queue = open_on(server);
  put(*queue, {"a", "b"});
  EXPECT_THAT(taken(*queue, worker("w"), {.messages = 1}), ElementsAre("a"));
  server.kill_hard();
  const auto refused = queue->enqueue(kStage, Texts{"c"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::unavailable);
  EXPECT_EQ(queue->claim(kStage, worker("v"), {}).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(queue->settle(kStage, worker("w"), {}).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(queue->renew(kStage, worker("w")).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(queue->depth(kStage).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(redis::RedisQueue::open(options_for(server)).failure().kind, FailureKind::unavailable);
  server.start();
  EXPECT_TRUE(must(queue->renew(kStage, worker("w"))));
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("b"));
}

TEST(RedisQueueTest, ScriptsMayBeFlushedAtAnyTime) {
  RedisServer server;
  const auto queue = open_on(server);
  for (int i = 0; i < 3; ++i) {
    put(*queue, {"a"});
    server.cli({"script", "flush"});
    EXPECT_EQ(taken(*queue, worker("w")).size(), 1U);
    server.cli({"script", "flush"});
    EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
    server.cli({"script", "flush"});
  }
}

// The settle was sent, the answer never came; it is carried out when the server wakes up, after the worker
// has given up waiting. Whatever the worker does then, its next batch is untouched.
TEST(RedisQueueTest, ACommandThatWasHeldUpDoesNotTouchALaterClaim) {
  RedisServer server;
  const auto queue = open_on(server);
  put(*queue, {"so that the server knows the scripts"});
  taken(*queue, worker("w"));
  settle(*queue, worker("w"));
  put(*queue, {"a", "b"});
  EXPECT_THAT(taken(*queue, worker("w"), {.messages = 1}), ElementsAre("a"));
  server.pause();
  EXPECT_EQ(queue->settle(kStage, worker("w"), {.dead = {"a"}}).failure().kind, FailureKind::unavailable);
  EXPECT_EQ(queue->claim(kStage, worker("w"), {}).failure().kind, FailureKind::unavailable);
  server.resume();
  ASSERT_TRUE(collect::test::eventually([&] { return numbers(*queue)[3] == 1; }));
  // The claim was held up too; the one asked for now is the same, and gets what it may settle.
  EXPECT_THAT(taken(*queue, worker("w")), ElementsAre("b"));
  EXPECT_EQ(settle(*queue, worker("w")), Settled::done);
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 0, 0, 1));
}

TEST(RedisQueueTest, ASettleOfAnEarlierClaimIsRefusedByItsToken) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  const auto same_worker_elsewhere = open_on(server);
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  EXPECT_THAT(taken(*same_worker_elsewhere, worker("w")), ElementsAre("a"));
  EXPECT_EQ(settle(*queue, worker("w"), {.dead = {"x"}}), Settled::lease_lost);
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 1, 0, 0));
  EXPECT_EQ(settle(*same_worker_elsewhere, worker("w")), Settled::done);
}

TEST(RedisQueueTest, AFullServerRefusesNewMessagesAndIsDrained) {
  RedisServer server({"--maxmemory", "12mb", "--maxmemory-policy", "noeviction"});
  const auto queue = open_on(server);
  const std::string large(200000, 'x');
  int accepted = 0;
  Failure refused;
  for (; accepted < 200; ++accepted) {
    const auto put_in =
        queue->enqueue(kStage, Texts{text_of("s" + std::to_string(accepted), accepted) + large});
    if (put_in) continue;
    refused = put_in.failure();
    break;
  }
  EXPECT_EQ(refused.kind, FailureKind::unavailable);
  EXPECT_THAT(refused.message, HasSubstr("OOM"));
  ASSERT_GT(accepted, 5);
  int drained = 0;
  for (auto texts = taken(*queue, worker("w"), {.messages = 3}); !texts.empty();
       texts = taken(*queue, worker("w"), {.messages = 3})) {
    drained += static_cast<int>(texts.size());
    EXPECT_EQ(must(queue->strike(kStage, texts[0], "once")), 1);
    must(queue->absolve(kStage, texts[0]));
    EXPECT_TRUE(must(queue->renew(kStage, worker("w"))));
    EXPECT_EQ(settle(*queue, worker("w"), {.onward = {{Stage::processing, "next"}}}), Settled::done);
  }
  EXPECT_EQ(drained, accepted);
  EXPECT_TRUE(queue->enqueue(kStage, Texts{"again"}));
}

TEST(RedisQueueTest, AClusterNeedsNamesThatStayTogether) {
  const RedisServer server({"--cluster-enabled", "yes"});
  auto options = options_for(server);
  options.connection.database = 0;
  const auto apart = redis::RedisQueue::open(options);
  ASSERT_FALSE(apart);
  EXPECT_EQ(apart.failure().kind, FailureKind::invalid);
  EXPECT_THAT(apart.failure().message, HasSubstr("hash tag"));
  options.names = {"{collect}:inventory", "{collect}:processing", "{collect}:notifications"};
  EXPECT_TRUE(redis::RedisQueue::open(options));
}

TEST(RedisQueueTest, AKeyOfAnotherTypeStopsASettleBeforeItWrites) {
  auto& server = RedisServer::shared();
  server.flush();
  const auto queue = open_on(server);
  put(*queue, {"a"});
  taken(*queue, worker("w"));
  cli(server, {"set", "collect:processing", "no list"});
  const Settlement settlement = {.onward = {{Stage::processing, "p"}}, .dead = {"x"}, .give_back = {"a"}};
  EXPECT_FALSE(queue->settle(kStage, worker("w"), settlement));
  EXPECT_THAT(numbers(*queue), ElementsAre(0, 1, 0, 0));
  cli(server, {"del", "collect:processing"});
  EXPECT_EQ(settle(*queue, worker("w"), settlement), Settled::done);
  EXPECT_THAT(numbers(*queue), ElementsAre(1, 0, 0, 1));
}

}  // namespace
}  // namespace collect::queue::test
