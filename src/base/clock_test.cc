// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace collect {
namespace {

std::string again(std::string_view text) {
  const auto time = parse_rfc3339(text);
  return time.ok() ? to_rfc3339(*time) : "refused: " + time.failure().message;
}

TEST(Clock, ReadsAndWritesRfc3339) {
  EXPECT_EQ(again("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000000Z");
  EXPECT_EQ(again("2026-01-02T03:04:05.678901234+02:30"), "2026-01-02T00:34:05.678901Z");
  EXPECT_EQ(again("2024-02-29t23:59:59.5z"), "2024-02-29T23:59:59.500000Z");
  EXPECT_EQ(again("1969-12-31T23:59:59.999999Z"), "1969-12-31T23:59:59.999999Z");
}

// They would be written as a text that nothing reads again.
TEST(Clock, RefusesWhatAnOffsetLeadsOutOfTheYears) {
  for (const char* text : {"0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z"})
    EXPECT_FALSE(parse_rfc3339(text).ok()) << text;
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "now", "2026-01-02", "2026-01-02T03:04Z", "2026-13-02T03:04:05Z", "2025-02-29T03:04:05Z",
        "2026-01-02T24:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05+0230", "0000-01-02T03:04:05Z", "2026-01-02T03:04:05.1234567890Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).ok()) << text;
  }
  EXPECT_EQ(again("soon"), "refused: expected a time like 2026-01-02T03:04:05Z (RFC 3339), got \"soon\"");
}

TEST(Clock, ManualClockStandsStill) {
  ManualClock clock(Time(std::chrono::seconds(10)));
  EXPECT_EQ(clock.now(), Time(std::chrono::seconds(10)));
  clock.advance(std::chrono::seconds(5));
  EXPECT_EQ(clock.now(), Time(std::chrono::seconds(15)));
}

}  // namespace
}  // namespace collect
