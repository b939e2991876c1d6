// SPDX-License-Identifier: Apache-2.0
// The door over real sockets: bodies that pass by without being held, in both directions.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/raw_client_for_test.h"
#include "net/server.h"
#include "support/wires.h"

namespace collect::net {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;
using testing::HasSubstr;

constexpr std::uint64_t kMost = 1'000'000'000;

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = Steady::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (Steady::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

std::string head(const std::string& path, std::uint64_t size, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "Content-Length: " + std::to_string(size) +
         "\r\n\r\n";
}
std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

char letter_at(std::uint64_t place) {
  return static_cast<char>('a' + place % 23);
}
std::string letters(std::size_t size) {
  std::string out(size, ' ');
  for (std::size_t i = 0; i < size; ++i) out[i] = letter_at(i);
  return out;
}

// `most` letters in pieces of at most `piece`; then a failure, or else the end.
class Letters final : public ByteSource {
 public:
  Letters(std::uint64_t most, std::size_t piece, bool fails) : most_(most), piece_(piece), fails_(fails) {}
  Result<std::size_t> read(std::span<char> into) override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>({most_ - at_, piece_, into.size()}));
    if (size == 0 && fails_) return unavailable("the storage is away");
    for (std::size_t i = 0; i < size; ++i) into[i] = letter_at(at_ + i);
    at_ += size;
    return size;
  }

 private:
  const std::uint64_t most_;
  const std::size_t piece_;
  const bool fails_;
  std::uint64_t at_ = 0;
};

class StreamTest : public testing::TestWithParam<Wire> {
 protected:
  StreamTest() {
    options_.listen_address = "127.0.0.1:0";
    options_.tls = identity_for(GetParam());
    const auto add = [this](Method method, const char* path, std::function<Response(Request)> handle) {
      router_.add(method, path, {[this, handle = std::move(handle)](const RequestHead&) -> Admission {
                    return Accepted{kMost, BodyUse::stream, handle, &streams_.value()};
                  }});
    };
    router_.add(Method::get, "/ok",
                open_to_all(0, BodyUse::buffer, [](const Request&) { return envelope(200, "ok"); }));
    add(Method::post, "/count", [this](const Request& request) { return count(request); });
    add(Method::post, "/gated", [this](const Request& request) {
      ++waiting_;
      open_.wait();
      return count(request);
    });
    add(Method::post, "/refuse", [](const Request&) { return envelope(413, "the quota is used up"); });
    add(Method::post, "/throws", [](const Request& request) -> Response {
      std::vector<char> some(1000);
      (void)request.stream->read(some);
      throw std::runtime_error("on purpose");
    });
    add(Method::get, "/letters/{size}", [](const Request& request) {
      const std::uint64_t size = std::stoull(request.params.at(0));
      return stream(size, std::make_shared<Letters>(kMost, 50'000, false));
    });
    add(Method::get, "/short",
        [](const Request&) { return stream(1'000'000, std::make_shared<Letters>(400'000, 100'000, false)); });
    add(Method::get, "/breaks",
        [](const Request&) { return stream(1'000'000, std::make_shared<Letters>(400'000, 100'000, true)); });
    add(Method::get, "/away",
        [](const Request&) { return stream(1'000'000, std::make_shared<Letters>(0, 1, true)); });
    add(Method::get, "/until/{size}", [](const Request& request) {
      const std::uint64_t size = std::stoull(request.params.at(0));
      return stream(kUntilItEnds, std::make_shared<Letters>(size, 50'000, false));
    });
    add(Method::get, "/until-it-breaks", [](const Request&) {
      return stream(kUntilItEnds, std::make_shared<Letters>(400'000, 100'000, true));
    });
    add(Method::get, "/plain", [](const Request&) { return envelope(404, "backup not found"); });
    router_.add(Method::get, "/wrong", open_to_all(0, BodyUse::buffer, [](const Request&) {
                  return stream(10, std::make_shared<Letters>(10, 10, false));
                }));
  }
  ~StreamTest() override { open_gate(); }

  static Response stream(std::uint64_t size, std::shared_ptr<ByteSource> source) {
    Response response;
    response.content_type = "application/octet-stream";
    response.source = std::move(source);
    response.source_bytes = size;
    return response;
  }

  // Reads all of the body; says how many bytes, and whether they were the right ones.
  Response count(const Request& request) {
    std::vector<char> buffer(10'000);
    std::uint64_t place = 0;
    bool right = true;
    for (;;) {
      const auto size = request.stream->read(buffer);
      if (!size) {
        EXPECT_EQ(size.failure().kind, FailureKind::invalid);
        // A second try finds no bytes either.
        EXPECT_FALSE(request.stream->read(buffer).ok());
        ++broken_;
        return envelope(500, "never seen: the server answers broken bodies");
      }
      if (*size == 0) break;
      for (std::size_t i = 0; i < *size; ++i) right = right && buffer[i] == letter_at(place + i);
      place += *size;
      read_ = place;
    }
    ++whole_;
    return envelope(200, std::to_string(place) + (right ? " right" : " wrong"));
  }

  void start(std::size_t streams = 4, std::size_t waiting = 0) {
    streams_.emplace(streams, waiting);
    server_.emplace(options_, router_, pool_, clock_);
    ASSERT_TRUE(server_->start().ok());
  }
  RawClient client() { return RawClient(server_->port(), GetParam()); }
  bool serves() { return client().ask(get("/ok")).status == 200; }
  void open_gate() {
    if (!std::exchange(opened_, true)) gate_.set_value();
  }
  [[nodiscard]] std::uint64_t refused(Refused kind) const { return server_->counters().of(kind); }

  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future().share();
  bool opened_ = false;
  std::atomic<int> waiting_{0};
  std::atomic<int> whole_{0};
  std::atomic<int> broken_{0};
  std::atomic<std::uint64_t> read_{0};
  ServerOptions options_;
  Router router_;
  SystemClock clock_;
  Pool pool_{2, 100};
  std::optional<Pool> streams_;
  std::optional<Server> server_;
};

// ---------------------------------------------------------------- bodies of requests

TEST_P(StreamTest, GivesTheBodyAsItComes) {
  start();
  RawClient c = client();
  for (const std::size_t size : {1, 2, 9'999, 10'000, 10'001, 3'000'000}) {
    const RawAnswer answer = c.ask(head("/count", size) + letters(size));
    EXPECT_THAT(answer.body, HasSubstr(std::to_string(size) + " right")) << answer.head;
  }
  EXPECT_EQ(c.ask(head("/count", 0)).status, 200);
  // In dribs and drabs.
  const std::string all = head("/count", 300) + letters(300);
  for (const char byte : all) ASSERT_TRUE(c.send({&byte, 1}));
  EXPECT_THAT(c.receive().body, HasSubstr("300 right"));
  EXPECT_EQ(server_->counters().connections_accepted, 1U);
}

TEST_P(StreamTest, GoesOnWithWhatWasPipelinedBehindABody) {
  start();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const std::size_t size = static_cast<std::size_t>(i) * 1'111;
    all += head("/count", size) + letters(size) + get("/ok") + get("/letters/70000");
    all += head("/refuse", 100) + letters(100) + get("/plain");
  }
  RawClient c = client();
  std::thread sender([&] { c.send(all); });
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(c.receive().body, HasSubstr(std::to_string(i * 1'111) + " right"));
    EXPECT_THAT(c.receive().body, HasSubstr("ok"));
    EXPECT_EQ(c.receive().body, letters(70'000));
    const RawAnswer refused = c.receive();
    EXPECT_EQ(refused.status, 413);
    // A body that had not come yet when it was refused ends the connection.
    if (refused.header("Connection") == "close") break;
    EXPECT_EQ(c.receive().status, 404);
  }
  c.reset();
  sender.join();
}

TEST_P(StreamTest, AsksForTheBodyWhenItIsWanted) {
  start();
  RawClient c = client();
  c.send(head("/gated", 500'000, "Expect: 100-continue\r\n"));
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  EXPECT_TRUE(c.silent(milliseconds(50)));
  open_gate();
  EXPECT_EQ(c.receive().status, 100);
  EXPECT_THAT(c.ask(letters(500'000)).body, HasSubstr("500000 right"));

  const RawAnswer refused = c.ask(head("/refuse", 500'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("quota"));
  EXPECT_EQ(refused.header("Connection"), "close");
  EXPECT_TRUE(c.ended());
}

TEST_P(StreamTest, AnswersEarlyWhileTheClientIsStillSending) {
  start();
  for (const char* path : {"/refuse", "/throws"}) {
    RawClient c = client();
    std::thread sender([&] { c.send(head(path, 20'000'000) + letters(20'000'000)); });
    EXPECT_EQ(c.receive().status, std::string(path) == "/refuse" ? 413 : 500);
    sender.join();
  }
  EXPECT_EQ(server_->counters().handler_failures, 1U);
  EXPECT_TRUE(serves());
}

TEST_P(StreamTest, RefusesChunksAndBodiesOverTheLimit) {
  start();
  EXPECT_EQ(
      client()
          .ask("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
          .status,
      411);
  const RawAnswer large = client().ask(head("/count", kMost + 1));
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, HasSubstr("max_size_bytes"));
}

TEST_P(StreamTest, TellsTheHandlerAndTheClientThatABodyWasCut) {
  start();
  for (const std::size_t sent : {0, 1, 500'000, 999'999}) {
    RawClient c = client();
    c.send(head("/count", 1'000'000) + letters(sent));
    c.done_sending();
    const RawAnswer answer = c.receive();
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("expected a body of 1000000 bytes, the connection ended after " +
                                       std::to_string(sent) + " bytes"));
  }
  EXPECT_EQ(broken_, 4);
  RawClient c = client();
  c.send(head("/count", 1'000'000) + letters(100'000));
  ASSERT_TRUE(eventually([&] { return read_ == 100'000; }));
  c.reset();
  EXPECT_TRUE(eventually([&] { return broken_ == 5; }));
  EXPECT_EQ(whole_, 0);
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
}

TEST_P(StreamTest, CutsSlowBodies) {
  options_.body_deadline = milliseconds(100);
  options_.minimum_rate = 1'000'000;
  start();
  RawClient stalled = client();
  stalled.send(head("/count", 1000) + letters(900));
  EXPECT_EQ(stalled.receive().status, 408);
  stalled.done_sending();
  EXPECT_TRUE(stalled.ended());
  RawClient trickle = client();
  trickle.send(head("/count", 100'000));
  const auto begun = Steady::now();
  while (trickle.silent(milliseconds(10)) && trickle.send("a") &&
         Steady::now() - begun < std::chrono::seconds(5)) {
  }
  EXPECT_EQ(trickle.receive().status, 408);
  EXPECT_LT(Steady::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(refused(Refused::too_slow), 2U);
  EXPECT_EQ(broken_, 2);
  EXPECT_TRUE(serves());
}

// Neither a slow handler nor the handlers' timeout ends a body that the client is ready to send.
TEST_P(StreamTest, KeepsTheClientWaitingWhileNobodyReads) {
  options_.body_deadline = milliseconds(1000);
  options_.handler_timeout = milliseconds(400);
  start();
  constexpr std::size_t kSize = 50'000'000;
  RawClient c = client();
  std::atomic<bool> sent{false};
  std::thread sender([&] {
    c.send(head("/gated", kSize) + letters(kSize));
    sent = true;
  });
  ASSERT_TRUE(eventually([&] { return waiting_ == 1; }));
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_FALSE(sent);
  // What came with the head is all that is held.
  EXPECT_LE(server_->counters().bytes_in, 64U * 1024);
  EXPECT_EQ(server_->counters().body_bytes_held, 0U);
  open_gate();
  EXPECT_THAT(c.receive().body, HasSubstr("50000000 right"));
  sender.join();
}

TEST_P(StreamTest, DoesNotKeepOthersWaiting) {
  start(2, 1);
  std::vector<RawClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(client());
    clients.back().send(head("/gated", 1000) + letters(1000));
    ASSERT_TRUE(eventually([&] { return waiting_ + static_cast<int>(streams_->waiting()) == i + 1; }));
  }
  RawClient full = client();
  for (int i = 0; i < 2; ++i) {
    const RawAnswer answer = full.ask(head("/count", 1000) + letters(1000));
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.header("Retry-After"), "");
  }
  EXPECT_EQ(refused(Refused::overloaded), 2U);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(serves());
  open_gate();
  for (RawClient& c : clients) EXPECT_THAT(c.receive().body, HasSubstr("1000 right"));
}

// ---------------------------------------------------------------- bodies of answers

TEST_P(StreamTest, SendsWhatASourceGives) {
  start();
  RawClient c = client();
  for (const std::size_t size : {1, 49'999, 50'001, 5'000'000}) {
    const RawAnswer answer = c.ask(get("/letters/" + std::to_string(size)));
    EXPECT_EQ(answer.header("Content-Length"), std::to_string(size));
    EXPECT_EQ(answer.header("Content-Type"), "application/octet-stream");
    EXPECT_TRUE(answer.body == letters(size));
  }
  c.send("HEAD /letters/123456 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(c.receive(true).header("Content-Length"), "123456");
  EXPECT_EQ(c.ask(get("/plain")).status, 404);
  EXPECT_EQ(c.ask(get("/ok")).status, 200);
  EXPECT_EQ(server_->counters().connections_accepted, 1U);
}

TEST_P(StreamTest, ShowsTheClientThatAnAnswerIsNotWhole) {
  start();
  for (const char* path : {"/short", "/breaks"}) {
    RawClient c = client();
    const RawAnswer answer = c.ask(get(path));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Length"), "1000000");
    EXPECT_TRUE(answer.body == letters(400'000));
    EXPECT_TRUE(c.ended());
  }
  RawClient c = client();
  const RawAnswer away = c.ask(get("/away"));
  EXPECT_EQ(away.status, 503);
  EXPECT_NE(away.header("Retry-After"), "");
  EXPECT_EQ(c.ask(get("/ok")).status, 200);
  EXPECT_EQ(c.ask(get("/wrong")).status, 500);
}

TEST_P(StreamTest, SendsInChunksWhatHasNoKnownSize) {
  start();
  RawClient c = client();
  for (const std::size_t size : {0, 1, 50'000, 50'001, 3'000'000}) {
    const RawAnswer answer = c.ask(get("/until/" + std::to_string(size)));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.whole);
    EXPECT_TRUE(answer.body == letters(size)) << size;
    EXPECT_EQ(answer.header("Content-Length"), "");
  }
  c.send("HEAD /until/70000 HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawAnswer head = c.receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(c.ask(get("/ok")).status, 200);
  EXPECT_EQ(server_->counters().connections_accepted, 1U);
}

TEST_P(StreamTest, EndsTheConnectionWhereAClientKnowsNoChunks) {
  start();
  RawClient c = client();
  c.send("GET /until/300000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const RawAnswer answer = c.receive(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Transfer-Encoding"), "");
  EXPECT_EQ(answer.header("Content-Length"), "");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(c.receive_rest() == letters(300'000));
}

TEST_P(StreamTest, LeavesOutTheLastChunkWhenASourceBreaks) {
  start();
  RawClient c = client();
  const RawAnswer answer = c.ask(get("/until-it-breaks"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.whole);
  EXPECT_TRUE(answer.body == letters(300'000));
  // The fourth piece, whose end nobody has said.
  EXPECT_TRUE(c.receive_rest() == "186a0\r\n" + letters(400'000).substr(300'000));
}

TEST_P(StreamTest, CutsSlowReaders) {
  options_.write_deadline = milliseconds(100);
  options_.minimum_rate = 1'000'000'000;
  start();
  RawClient slow = client();
  slow.send(get("/letters/900000000"));
  EXPECT_TRUE(eventually([&] { return refused(Refused::too_slow) == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
  RawClient gone = client();
  gone.send(get("/letters/900000000"));
  gone.reset();
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 0; }));
  EXPECT_TRUE(serves());
}

// ---------------------------------------------------------------- going away

TEST_P(StreamTest, DrainWaitsForStreams) {
  start();
  RawClient up = client();
  up.send(head("/count", 1000) + letters(500));
  ASSERT_TRUE(eventually([&] { return read_ == 500; }));
  std::thread sender([&] {
    while (RawClient(server_->port()).connected()) std::this_thread::sleep_for(milliseconds(1));
    up.send(letters(1000).substr(500));
  });
  EXPECT_TRUE(server_->drain(std::chrono::seconds(20)));
  sender.join();
  const RawAnswer answer = up.receive();
  EXPECT_THAT(answer.body, HasSubstr("1000 right"));
  EXPECT_EQ(answer.header("Connection"), "close");
}

TEST_P(StreamTest, DrainCutsStreamsWhenPatienceEnds) {
  start();
  RawClient up = client();
  up.send(head("/count", 1000) + letters(500));
  RawClient down = client();
  down.send(get("/letters/900000000"));
  ASSERT_TRUE(eventually([&] { return read_ == 500 && server_->counters().bytes_out > 0; }));
  EXPECT_FALSE(server_->drain(milliseconds(50)));
  EXPECT_TRUE(up.ended());
  EXPECT_TRUE(eventually([&] { return broken_ == 1; }));
  EXPECT_LT(down.receive().body.size(), 900'000'000U);
  server_.reset();
}

TEST_P(StreamTest, StopsWithStreamsInEveryState) {
  for (int round = 0; round < 5; ++round) {
    start(8, 8);
    std::vector<RawClient> clients;
    for (int i = 0; i < 40; ++i) {
      clients.push_back(client());
      const std::string request = head("/count", 200'000) + letters(200'000);
      clients.back().send(i % 4 == 0 ? get("/letters/900000000")
                                     : request.substr(0, request.size() * static_cast<std::size_t>(i) / 30));
    }
    server_.reset();
    streams_.reset();
    for (RawClient& c : clients) {
      while (c.receive().status != 0) {
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Wires, StreamTest, testing::Values(Wire::plain, Wire::tls), wire_name);

}  // namespace
}  // namespace collect::net
