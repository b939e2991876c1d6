// SPDX-License-Identifier: Apache-2.0
#include "inventory/store_worker.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace collect::inventory {
namespace {

const Time kNow = parse_rfc3339("2026-01-02T03:04:05.678901Z").value();

Result<Arrival> read(std::string data, Recent& recent) {
  queue::Message message;
  message.id = MessageId("0190b5a0-0000-7000-8000-000000000001");
  message.system_id = SystemId("s");
  message.data = std::move(data);
  message.created_at = kNow;
  return read_arrival(message, recent, kNow);
}

Result<Arrival> read(std::string data) {
  Recent recent;
  return read(std::move(data), recent);
}

constexpr std::string_view kHead = R"({"system_id":"s","timestamp":"2026-01-02T03:04:05Z",)";

TEST(ReadArrival, KeepsWhatItParsed) {
  Recent recent;
  const auto arrival =
      read(std::string(kHead) + R"("sender_timestamp":"2026-01-02T03:00:00Z","data":{"a": 1}})", recent);
  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->document, R"({"a": 1})");
  EXPECT_EQ(arrival->hash, to_hex(sha256(R"({"a": 1})")));
  EXPECT_EQ(to_rfc3339(arrival->received_at), "2026-01-02T03:04:05.000000Z");
  EXPECT_EQ(to_rfc3339(arrival->sender_time.value()), "2026-01-02T03:00:00.000000Z");
  EXPECT_NE(recent.documents.find(arrival->hash), nullptr);
}

// What other programs write, and what only looks as if we had written it.
TEST(ReadArrival, TakesTheSameFromEveryWriting) {
  const std::string head(kHead);
  EXPECT_EQ(read(head + R"("data":{"a":1},"data":{"b":2}})")->document, R"({"b":2})");
  EXPECT_EQ(read(head + R"("data":{"a":1},"more":{"b":2}})")->document, R"({"a":1})");
  EXPECT_EQ(read(R"({"data":{"a":1}})")->document, R"({"a":1})");
  EXPECT_EQ(read(R"({"data":{"a":1}})")->received_at, kNow);
  EXPECT_EQ(read(R"({"system_id":"s","timestamp":"2099-01-02T03:04:05Z","data":{"a":1}})")->received_at,
            kNow);
  EXPECT_FALSE(read(head + R"("data":[{}]})"));
  EXPECT_FALSE(read(R"({"system_id":"s","timestamp":"soon","data":{"a":1}})"));
}

}  // namespace
}  // namespace collect::inventory
