// SPDX-License-Identifier: Apache-2.0
// Limits, and one more: of heads, bodies, chunks, depth and numbers, as bytes on the wire. What is let in is
// processed, what is not leaves nothing behind. Bodies that are no JSON, gzip and the limit of a plain body
// are tests/journey/refusals_test.cc's; heads that could be read in two ways, src/net/gate_test.cc's.
#include <gmock/gmock.h>

#include <cstdio>
#include <stdexcept>

#include "base/hash.h"
#include "faults/at_the_door.h"

namespace collect::test {
namespace {

constexpr std::size_t kBody = 100'000;  // API_MAX_REQUEST_SIZE
constexpr std::size_t kHead = 16 * 1024;
constexpr std::size_t kTarget = 8192;
constexpr std::size_t kFields = 100;

std::string inventory_of(std::size_t bytes) {
  const std::string head = R"({"note":")";
  const std::string tail = R"("})";
  return head + std::string(bytes - head.size() - tail.size(), 'x') + tail;
}

std::string chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

// Says bytes on connections of their own and counts what was let in.
class Wire {
 public:
  Wire(Service& service, const Login& login)
      : service_(service),
        own_("Host: h\r\nAuthorization: Basic " + to_base64(login.key + ":" + login.secret) + "\r\n") {}

  // The answer's status, where this is said and then nothing more; 0: the connection was closed without one.
  int say(std::string_view bytes) {
    HttpClient client(service_.port());
    try {
      client.send(bytes);
    } catch (const std::runtime_error&) {
      // Refused before all was said: what the server said counts.
    }
    try {
      const auto answer = client.receive();
      if (answer.status == 202) {
        ++tally_.answers[202];
        tally_.receipts.push_back(text_of(*parsed(answer.body).root().find("data"), "receipt"));
      }
      return answer.status;
    } catch (const std::runtime_error&) {
      return 0;
    }
  }
  int post(const std::string& fields, const std::string& body, const std::string& target = kInventory) {
    return say("POST " + target + " HTTP/1.1\r\n" + own_ + fields + "\r\n" + body);
  }
  int post_whole(const std::string& body, const std::string& target = kInventory) {
    return post("Content-Length: " + std::to_string(body.size()) + "\r\n", body, target);
  }
  int post_chunked(const std::string& chunks) { return post("Transfer-Encoding: chunked\r\n", chunks); }
  // A head of exactly that many bytes before a small inventory.
  int post_with_head_of(std::size_t bytes) {
    const std::string body = inventory_of(100);
    const std::string fixed = "POST " + std::string(kInventory) + " HTTP/1.1\r\n" + own_ +
                              "Content-Length: " + std::to_string(body.size()) + "\r\nX-Padding: \r\n\r\n";
    return post("Content-Length: " + std::to_string(body.size()) +
                    "\r\nX-Padding: " + std::string(bytes - fixed.size(), 'x') + "\r\n",
                body);
  }
  int post_with_fields(std::size_t count) {
    std::string more = "Content-Length: 100\r\n";
    for (std::size_t i = 3; i < count; ++i) more += "X-" + std::to_string(i) + ": x\r\n";
    return post(more, inventory_of(100));
  }
  int post_to_target_of(std::size_t bytes) {
    const std::string target = std::string(kInventory) + "?";
    return post_whole(inventory_of(100), target + std::string(bytes - target.size(), 'x'));
  }

  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  static constexpr const char* kInventory = "/api/systems/inventory";
  Service& service_;
  const std::string own_;
  Tally tally_;
};

TEST_P(Faults, LimitsAndLimitsPlusOne) {
  start({{"API_MAX_REQUEST_SIZE", std::to_string(kBody)}});
  Wire wire(*service_, service_->new_system());

  // Heads.
  EXPECT_EQ(wire.post_with_head_of(kHead), 202);
  EXPECT_EQ(wire.post_with_head_of(kHead + 1), 431);
  EXPECT_EQ(wire.post_with_fields(kFields), 202);
  EXPECT_EQ(wire.post_with_fields(kFields + 1), 431);
  EXPECT_EQ(wire.post_to_target_of(kTarget), 202);
  EXPECT_EQ(wire.post_to_target_of(kTarget + 1), 414);

  // Bodies of a length that was told, and of one that was not.
  const std::string most = inventory_of(kBody);
  EXPECT_EQ(wire.post_whole(most), 202);
  EXPECT_EQ(wire.post_whole(inventory_of(kBody + 1)), 413);
  const std::string end = "0\r\n\r\n";
  const std::string half = most.substr(0, kBody / 2);
  const std::string rest = most.substr(kBody / 2);
  EXPECT_EQ(wire.post_chunked(chunk(half) + chunk(rest) + end), 202);
  EXPECT_EQ(wire.post_chunked(chunk(half) + chunk(rest) + chunk(" ") + end), 413);
  EXPECT_EQ(wire.post_chunked(chunk(half) + "fffffffffffffff\r\n"), 413);
  EXPECT_EQ(wire.post_chunked(chunk(half) + "ffffffffffffffffffff\r\n"), 400);
  EXPECT_EQ(wire.post_chunked("-1\r\n" + most), 400);
  std::string crumbs;  // an inventory in chunks of one byte
  for (const char c : inventory_of(2000)) crumbs += chunk({&c, 1});
  EXPECT_EQ(wire.post_chunked(crumbs + end), 202);
  std::string extensions;  // little body in much framing
  for (const char c : inventory_of(100)) extensions += "1;" + std::string(1000, 'e') + "\r\n" + c + "\r\n";
  EXPECT_EQ(wire.post_chunked(extensions + end), 400);

  // Lengths that are lies.
  const std::string small = inventory_of(100);
  const auto with_length = [&](const std::string& length) {
    return wire.post("Content-Length: " + length + "\r\n", small);
  };
  EXPECT_EQ(with_length("50"), 400) << "cut in the middle, and the rest is no request";
  EXPECT_EQ(with_length("18446744073709551615"), 413);
  EXPECT_EQ(with_length("18446744073709551717"), 400) << "100 more than fits";
  EXPECT_EQ(with_length("-100"), 400);
  EXPECT_EQ(with_length("+100"), 400);
  EXPECT_EQ(with_length("0x64"), 400);
  EXPECT_EQ(with_length("100, 100"), 400);
  EXPECT_EQ(wire.post("Content-Length: 100\r\nContent-Length: 99\r\n", small), 400);
  EXPECT_EQ(wire.post("Content-Length: 100\r\nTransfer-Encoding: chunked\r\n", chunk(small) + end), 400);
  HttpClient hasty(service_->port());  // says more than it sends, and goes
  hasty.basic_auth("nobody", "nothing");
  hasty.send("POST /api/systems/heartbeat HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n{}");
  hasty.close();

  // Depth, numbers and keys.
  const auto nested = [](std::size_t levels) {
    return R"({"a":)" + std::string(levels, '[') + "1" + std::string(levels, ']') + "}";
  };
  EXPECT_EQ(wire.post_whole(nested(511)), 202);
  EXPECT_EQ(wire.post_whole(nested(512)), 400);
  EXPECT_EQ(wire.post_whole(R"({"a":)" + std::string(kBody / 2, '[')), 400);
  EXPECT_EQ(wire.post_whole(R"({"a":9.9e308})"), 202);
  EXPECT_EQ(wire.post_whole(R"({"a":1e309})"), 400);
  EXPECT_EQ(wire.post_whole(R"({"a":1e999999999999999999999})"), 400);
  EXPECT_EQ(wire.post_whole(R"({"a":0.)" + std::string(kBody / 2, '0') + "1}"), 400);
  std::string keys = "{";
  for (int i = 0; keys.size() < kBody - 20; ++i) keys += "\"" + std::to_string(i) + "\":1,";
  EXPECT_EQ(wire.post_whole(keys + "\"z\":1}"), 202);
  EXPECT_EQ(wire.post_whole(keys + "\"z\":2}"), 202);

  expect_whole(wire.tally());
}

}  // namespace
}  // namespace collect::test
