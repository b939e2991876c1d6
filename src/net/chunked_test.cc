// SPDX-License-Identifier: Apache-2.0
#include "net/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace collect::net {
namespace {

using Status = ChunkedBody::Status;

struct Taken {
  Status status;
  std::string body;
  std::string left;
};

// Feeds `step` bytes at a time.
Taken take(std::string_view raw, std::size_t step, std::uint64_t limit = 1000) {
  ChunkedBody chunks;
  Taken taken{Status::more, "", ""};
  while (!raw.empty() && taken.status == Status::more) {
    std::string_view piece = raw.substr(0, step);
    const std::size_t size = piece.size();
    taken.status = chunks.feed(piece, &taken.body, limit);
    raw.remove_prefix(size - piece.size());
  }
  taken.left = raw;
  EXPECT_EQ(chunks.received(), taken.body.size());
  EXPECT_EQ(taken.status == Status::malformed, !chunks.problem().empty());
  return taken;
}

TEST(ChunkedBody, IsTheSameHoweverItArrives) {
  const std::string raw =
      "5\r\nhello\r\n00a;name=\"v\"\r\n, chunked \r\n0\r\nTrailer: Authorization\r\n\r\nGET /";
  for (std::size_t step = 1; step <= raw.size(); ++step) {
    const Taken taken = take(raw, step);
    EXPECT_EQ(taken.status, Status::done);
    EXPECT_EQ(taken.body, "hello, chunked ");
    EXPECT_EQ(taken.left, "GET /");
  }
}

TEST(ChunkedBody, CountsWithoutKeeping) {
  ChunkedBody chunks;
  std::string_view raw = "3\r\nabc\r\n0\r\n\r\n";
  EXPECT_EQ(chunks.feed(raw, nullptr, 3), Status::done);
  EXPECT_EQ(chunks.received(), 3U);
}

TEST(ChunkedBody, HoldsTheLimitToTheByte) {
  EXPECT_EQ(take("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 100, 5).status, Status::done);
  const Taken over = take("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", 100, 5);
  EXPECT_EQ(over.status, Status::too_large);
  EXPECT_EQ(over.body, "abc");
  EXPECT_EQ(take("FFFFFFFFFFFFFFF\r\n", 100).status, Status::too_large);
}

TEST(ChunkedBody, RefusesWhatOthersMightReadDifferently) {
  for (const char* raw :
       {"\r\n", "x\r\n", "0x3\r\nabc\r\n", "+3\r\nabc\r\n", "-1\r\n", " 3\r\nabc\r\n", "3 4\r\n", "3\n",
        "3\r\nabcd\r\n", "3\r\nabc\n0\r\n", "3\r\nabc0\r\n", "1000000000000000\r\n", "FFFFFFFFFFFFFFFFF\r\n",
        "3;a\rb\r\n", "0\r\nA: b\n\r\n", "3,4\r\n"}) {
    for (const std::size_t step : {1U, 100U}) EXPECT_EQ(take(raw, step).status, Status::malformed) << raw;
  }
}

TEST(ChunkedBody, BoundsWhatIsNotBody) {
  EXPECT_EQ(take(std::string(2000, '1'), 100).status, Status::malformed);
  std::string extensions;
  for (int i = 0; i < 100; ++i) extensions += "1;" + std::string(900, 'a') + "\r\nx\r\n";
  EXPECT_EQ(take(extensions, 512).status, Status::malformed);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += "A: " + std::string(900, 'a') + "\r\n";
  EXPECT_EQ(take(trailers, 512).status, Status::malformed);
}

}  // namespace
}  // namespace collect::net
