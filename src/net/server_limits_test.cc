// SPDX-License-Identifier: Apache-2.0
// The door over real sockets: clients that are slow, many, or rude, and a server that goes away.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "net/raw_client_for_test.h"
#include "net/server.h"
#include "support/wires.h"

namespace collect::net {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;
using testing::HasSubstr;

// Hundreds of handshakes, one after the other, may take a slow machine longer than a deadline.
constexpr milliseconds kNoDeadline = std::chrono::minutes(5);

const std::string kGet = "GET /ok HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(const std::string& path, std::size_t size) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = Steady::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

class LimitsTest : public testing::TestWithParam<Wire> {
 protected:
  LimitsTest() {
    options_.listen_address = "127.0.0.1:0";
    options_.tls = identity_for(GetParam());
    router_.add(Method::get, "/ok",
                open_to_all(0, BodyUse::buffer, [](const Request&) { return envelope(200, "ok"); }));
    router_.add(Method::post, "/size", open_to_all(1'000'000, BodyUse::buffer, [](const Request& request) {
                  return envelope(200, std::to_string(request.body.size()));
                }));
    router_.add(Method::post, "/drop", open_to_all(1'000'000, BodyUse::ignore, [](const Request&) {
                  return envelope(200, "dropped");
                }));
    // Waits until the test opens the gate.
    router_.add(Method::get, "/wait", open_to_all(0, BodyUse::buffer, [this](const Request&) {
                  ++waiting_;
                  open_.wait();
                  return envelope(200, "waited");
                }));
    router_.add(Method::get, "/big", open_to_all(0, BodyUse::buffer, [](const Request&) {
                  return envelope(200, std::string(20'000'000, 'x'));
                }));
  }
  ~LimitsTest() override { open_gate(); }

  void start(std::size_t threads = 2, std::size_t waiting = 1000) {
    pool_.emplace(threads, waiting);
    server_.emplace(options_, router_, *pool_, clock_);
    ASSERT_TRUE(server_->start().ok());
  }
  RawClient client() { return RawClient(server_->port(), GetParam()); }
  bool serves() { return client().ask(kGet).status == 200; }
  void open_gate() {
    if (!std::exchange(opened_, true)) gate_.set_value();
  }
  [[nodiscard]] std::uint64_t refused(Refused kind) const { return server_->counters().of(kind); }

  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future().share();
  bool opened_ = false;
  std::atomic<int> waiting_{0};
  ServerOptions options_;
  Router router_;
  SystemClock clock_;
  std::optional<Pool> pool_;
  std::optional<Server> server_;
};

TEST_P(LimitsTest, CutsSlowHeads) {
  options_.header_deadline = milliseconds(500);
  start();
  RawClient nothing = client();
  RawClient slow = client();
  slow.send("GET /ok HT");
  const RawAnswer answer = slow.receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(answer.body, HasSubstr("500 ms"));
  slow.done_sending();
  EXPECT_TRUE(slow.ended());
  EXPECT_TRUE(nothing.ended());
  // Trickling does not help: the deadline is for the whole head.
  RawClient trickle = client();
  const auto begun = Steady::now();
  while (trickle.send("X") && trickle.silent(milliseconds(10)) &&
         Steady::now() - begun < std::chrono::seconds(5)) {
  }
  EXPECT_LT(Steady::now() - begun, std::chrono::seconds(5));
  EXPECT_TRUE(serves());
}

TEST_P(LimitsTest, CutsSlowBodies) {
  options_.body_deadline = milliseconds(100);
  options_.minimum_rate = 1'000'000;
  start();
  for (const char* path : {"/size", "/drop"}) {
    RawClient stalled = client();
    stalled.send(post(path, 1000).substr(0, 900));
    EXPECT_EQ(stalled.receive().status, 408) << path;
    stalled.done_sending();
    EXPECT_TRUE(stalled.ended());
    // Bytes keep coming, but too few.
    RawClient trickle = client();
    trickle.send(post(path, 100'000).substr(0, 100));
    const auto begun = Steady::now();
    while (trickle.silent(milliseconds(10)) && trickle.send("x") &&
           Steady::now() - begun < std::chrono::seconds(5)) {
    }
    EXPECT_EQ(trickle.receive().status, 408) << path;
    EXPECT_LT(Steady::now() - begun, std::chrono::seconds(5));
  }
  EXPECT_EQ(refused(Refused::too_slow), 4U);
  EXPECT_EQ(server_->counters().body_bytes_held, 0U);
  EXPECT_TRUE(serves());
}

TEST_P(LimitsTest, GivesSteadyBodiesTheirTime) {
  options_.body_deadline = milliseconds(1000);
  options_.minimum_rate = 1000;
  start();
  RawClient c = client();
  c.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(c.silent(milliseconds(75)));
    c.send(std::string(100, 'x'));
  }
  EXPECT_THAT(c.receive().body, HasSubstr("\"2000\""));
}

TEST_P(LimitsTest, CutsSlowReaders) {
  options_.write_deadline = milliseconds(100);
  options_.minimum_rate = 1'000'000'000;
  start();
  RawClient slow = client();
  slow.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return refused(Refused::too_slow) == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
  EXPECT_TRUE(serves());
}

// However long the answer is: what it takes in memory is held until then.
TEST_P(LimitsTest, CutsReadersThatStandStill) {
  options_.write_deadline = milliseconds(100);
  start();
  RawClient still = client();
  still.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return refused(Refused::too_slow) == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
  EXPECT_TRUE(serves());
}

TEST_P(LimitsTest, WritesLargeAnswersToReadersThatKeepUp) {
  start();
  RawClient c = client();
  for (int i = 0; i < 3; ++i)
    EXPECT_GT(c.ask("GET /big HTTP/1.1\r\nHost: h\r\n\r\n").body.size(), 20'000'000U);
}

TEST_P(LimitsTest, ClosesIdleConnections) {
  options_.idle_deadline = milliseconds(100);
  start();
  RawClient c = client();
  EXPECT_EQ(c.ask(kGet).status, 200);
  EXPECT_TRUE(c.ended());
}

TEST_P(LimitsTest, BoundsLingering) {
  options_.linger_deadline = milliseconds(100);
  options_.linger_bytes = 10'000;
  start();
  RawClient silent = client();
  silent.send("nonsense\n");
  EXPECT_EQ(silent.receive().status, 400);
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
  RawClient loud = client();
  loud.send("nonsense\n");
  const auto begun = Steady::now();
  while (loud.send(std::string(10'000, 'x')) && Steady::now() - begun < std::chrono::seconds(5)) {
  }
  EXPECT_LT(Steady::now() - begun, std::chrono::seconds(5));
}

TEST_P(LimitsTest, ServesBesideIdleAndHalfOpenConnections) {
  options_.header_deadline = kNoDeadline;
  start();
  std::vector<RawClient> idle;
  for (int i = 0; i < 500; ++i) {
    idle.push_back(client());
    if (i % 3 == 1) idle.back().send("POST /size HT");
    if (i % 3 == 2) idle.back().send(post("/size", 5000).substr(0, 3000));
  }
  RawClient c = client();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(c.ask(post("/size", 30'000)).status, 200);
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 501; }));
  EXPECT_EQ(idle.front().ask(kGet).status, 200);
}

TEST_P(LimitsTest, AnswersWhenThePoolIsFull) {
  start(1, 1);
  RawClient running = client();
  running.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  RawClient queued = client();
  queued.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return pool_->waiting() == 1; }));
  RawClient refused_one = client();
  for (int i = 0; i < 3; ++i) {
    const RawAnswer answer = refused_one.ask(post("/size", 5000));
    EXPECT_EQ(answer.status, 503);
    EXPECT_THAT(answer.header("Retry-After"), testing::MatchesRegex("[1-5]"));
  }
  EXPECT_EQ(refused(Refused::overloaded), 3U);
  open_gate();
  EXPECT_EQ(running.receive().status, 200);
  EXPECT_EQ(queued.receive().status, 200);
  EXPECT_EQ(refused_one.ask(post("/size", 5000)).status, 200);
}

TEST_P(LimitsTest, AnswersWhenNoThreadCameInTime) {
  options_.handler_timeout = milliseconds(400);
  start(1, 10);
  RawClient running = client();
  running.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  RawClient queued = client();
  const RawAnswer answer = queued.ask(post("/size", 10));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("Retry-After"), "");
  open_gate();
  // What had its thread has its time.
  EXPECT_EQ(running.receive().status, 200);
  EXPECT_EQ(waiting_, 1);
}

TEST_P(LimitsTest, BoundsTheMemoryOfAllBodies) {
  options_.max_body_bytes_held = 1'500'000;
  start();
  RawClient first = client();
  first.send(post("/size", 1'000'000).substr(0, 1000));
  ASSERT_TRUE(eventually([&] { return server_->counters().body_bytes_held == 1'000'000; }));
  RawClient second = client();
  second.send(post("/size", 1'000'000).substr(0, 1000));
  EXPECT_EQ(second.receive().status, 503);
  RawClient chunks = client();
  chunks.send("POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n927c0\r\n" +
              std::string(600'000, 'x'));
  EXPECT_EQ(chunks.receive().status, 503);
  EXPECT_EQ(client().ask(post("/size", 100'000)).status, 200);
  first.reset();
  EXPECT_TRUE(eventually([&] { return server_->counters().body_bytes_held == 0; }));
  EXPECT_EQ(client().ask(post("/size", 1'000'000)).status, 200);
}

TEST_P(LimitsTest, BoundsTheMemoryOfAnswersThatNobodyReads) {
  options_.max_answer_bytes_held = 30'000'000;
  start();
  const std::string big = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
  RawClient first = client();
  first.send(big);
  ASSERT_TRUE(eventually([&] { return server_->counters().answer_bytes_held > 20'000'000; }));
  const RawAnswer refused_one = client().ask(big);
  EXPECT_EQ(refused_one.status, 503);
  EXPECT_NE(refused_one.header("Retry-After"), "");
  EXPECT_EQ(refused(Refused::overloaded), 1U);
  EXPECT_TRUE(serves());
  EXPECT_GT(first.receive().body.size(), 20'000'000U);
  EXPECT_TRUE(eventually([&] { return server_->counters().answer_bytes_held == 0; }));
  // Whoever hangs up gives back what was held for him, and one alone may be longer than all together.
  first.send(big);
  ASSERT_TRUE(eventually([&] { return server_->counters().answer_bytes_held > 0; }));
  first.reset();
  EXPECT_TRUE(eventually([&] { return server_->counters().answer_bytes_held == 0; }));
  RawClient last = client();
  EXPECT_GT(last.ask(big).body.size(), 20'000'000U);
  EXPECT_EQ(last.ask(kGet).status, 200);
  EXPECT_EQ(server_->counters().answer_bytes_held, 0U);
}

TEST_P(LimitsTest, TurnsAwayConnectionsBeyondTheLimit) {
  options_.max_connections = 2;
  start();
  RawClient one = client();
  RawClient two = client();
  EXPECT_EQ(one.ask(kGet).status, 200);
  EXPECT_EQ(two.ask(kGet).status, 200);
  RawClient three = client();
  if (GetParam() == Wire::plain) {
    EXPECT_EQ(three.receive().status, 503);
  } else {
    EXPECT_FALSE(three.connected());
  }
  EXPECT_TRUE(three.ended());
  EXPECT_EQ(refused(Refused::connections_full), 1U);
  two.reset();
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 1; }));
  EXPECT_TRUE(serves());
}

// Its clients say something before they were accepted, which TLS does not let them.
class PlainLimitsTest : public LimitsTest {};
INSTANTIATE_TEST_SUITE_P(Wires, PlainLimitsTest, testing::Values(Wire::plain), wire_name);

// With no descriptor left, waiting connections are taken as soon as there are some again.
TEST_P(PlainLimitsTest, SurvivesRunningOutOfDescriptors) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(server_->port(), Wire::plain, false);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // Open files keep their numbers, so a limit at the lowest free number leaves no new one.
  const int lowest_free = ::dup(0);
  ASSERT_GE(lowest_free, 0);
  ::close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (RawClient& c : clients) {
    c.connect();
    c.send(kGet);
  }
  EXPECT_TRUE(clients.front().silent(milliseconds(250)));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  for (RawClient& c : clients) EXPECT_EQ(c.receive().status, 200);
}

TEST_P(LimitsTest, ServesManyConnectionsAtOnce) {
  options_.header_deadline = kNoDeadline;
  start(4, 10'000);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      std::vector<RawClient> clients;
      for (int i = 0; i < 100; ++i) clients.push_back(client());
      for (int round = 0; round < 5; ++round) {
        for (RawClient& c : clients) c.send(post("/size", 3000));
        for (RawClient& c : clients) good += c.receive().status == 200 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4000);
  EXPECT_EQ(server_->counters().requests, 4000U);
}

TEST_P(LimitsTest, DrainsUnderLoad) {
  start(2, 1000);
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> broken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        RawClient c = client();
        if (!c.connected()) return;
        for (;;) {
          // A request that was sent when the server had closed already got no promise; one that was begun
          // did.
          if (!c.send(post("/size", 20'000))) break;
          const RawAnswer answer = c.receive();
          if (answer.status == 0) {
            ++broken;
            break;
          }
          ++answered;
          if (!answer.header("Connection").empty()) break;
        }
      }
    });
  }
  RawClient idle = client();
  EXPECT_EQ(idle.ask(kGet).status, 200);
  RawClient slow = client();
  slow.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return answered > 200 && waiting_ == 1; }));
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(100));
    open_gate();
  });
  EXPECT_TRUE(server_->drain(std::chrono::seconds(10)));
  stop = true;
  opener.join();
  for (std::thread& thread : threads) thread.join();
  const RawAnswer last = slow.receive();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("Connection"), "close");
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(client().connected());
  EXPECT_EQ(server_->counters().connections_open, 0U);
  // At most the one request per client that crossed the closing of its idle connection.
  EXPECT_LE(broken, 4);
}

TEST_P(LimitsTest, DrainEndsWhenPatienceEnds) {
  start(1, 10);
  RawClient running = client();
  running.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  RawClient queued = client();
  queued.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return pool_->waiting() == 1; }));
  EXPECT_FALSE(server_->drain(milliseconds(50)));
  EXPECT_TRUE(running.ended());
  EXPECT_TRUE(queued.ended());
  open_gate();
  server_.reset();
  EXPECT_EQ(waiting_, 1);  // the queued one was never begun
}

TEST_P(LimitsTest, StopsWithConnectionsInEveryState) {
  for (int round = 0; round < 5; ++round) {
    start();
    std::vector<RawClient> clients;
    for (int i = 0; i < 60; ++i) {
      clients.push_back(client());
      const std::string request = post("/size", 20'000);
      clients.back().send(request.substr(0, request.size() * static_cast<std::size_t>(i) / 50));
    }
    server_.reset();
    pool_.reset();
    for (RawClient& c : clients) {
      while (c.receive().status != 0) {
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Wires, LimitsTest, testing::Values(Wire::plain, Wire::tls), wire_name);

}  // namespace
}  // namespace collect::net
