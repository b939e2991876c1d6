// SPDX-License-Identifier: Apache-2.0
#include "operators/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace collect::operators {
namespace {

using testing::HasSubstr;
using testing::Optional;

std::string problem_of(const Parameters& parameters) {
  const auto done = parameters.done();
  return done ? "" : done.failure().message;
}

TEST(ParametersTest, ReadsEachKind) {
  Parameters read("search=caf%C3%A9+bar%2B&&severity=high&page=3&resolved=true&page_size=");
  EXPECT_THAT(read.text("search"), Optional(std::string("café bar+")));
  EXPECT_THAT(read.word("severity", {"low", "high"}), Optional(std::string("high")));
  EXPECT_THAT(read.number("page", 1, 3), Optional(3));
  EXPECT_THAT(read.flag("resolved"), Optional(true));
  EXPECT_EQ(read.text("category"), std::nullopt);
  EXPECT_EQ(read.number("page_size", 1, 100), std::nullopt);
  EXPECT_EQ(problem_of(read), "page_size: expected a number from 1 to 100, got \"\"");
  EXPECT_EQ(problem_of(Parameters("")), "");
}

TEST(ParametersTest, ReadsDatesAndTimes) {
  const auto time = [](const char* text) { return *parse_rfc3339(text); };
  Parameters dates("from=2026-01-02&to=2026-01-02");
  EXPECT_EQ(dates.from("from"), time("2026-01-02T00:00:00Z"));
  EXPECT_EQ(dates.to("to"), time("2026-01-03T00:00:00Z"));
  Parameters times("from=2026-01-02T03:04:05.5%2B01:00&to=2026-01-02T03:04:05+01:00");
  EXPECT_EQ(times.from("from"), time("2026-01-02T02:04:05.5Z"));
  EXPECT_EQ(times.to("to"), time("2026-01-02T02:04:05Z"));
  EXPECT_EQ(problem_of(times), "");
  Parameters ends("from=0001-01-01&to=9999-12-31");
  EXPECT_EQ(ends.from("from"), time("0001-01-01T00:00:00Z"));
  EXPECT_EQ(ends.to("to"), time("9999-12-31T23:59:59.999999Z"));
  for (const char* wrong : {"from=today", "from=2026-02-30", "from=", "from=2026-01-02T", "from=2026",
                            "from=0001-01-01T00:00:00%2B14:00"}) {
    Parameters read(wrong);
    EXPECT_EQ(read.from("from"), std::nullopt);
    EXPECT_THAT(problem_of(read), HasSubstr("from: expected a date like 2026-01-02")) << wrong;
  }
}

TEST(ParametersTest, SaysWhatIsWrongFirst) {
  Parameters word("severity=bad&x=1");
  word.word("severity", {"low", "high"});
  EXPECT_EQ(problem_of(word), "severity: expected one of low, high, got \"bad\"");
  Parameters unknown("page=1&pagesize=2");
  unknown.number("page", 1, 9);
  unknown.number("page_size", 1, 9);
  EXPECT_EQ(problem_of(unknown), "unknown parameter \"pagesize\": expected page, page_size");
  for (const char* number : {"0", "10", "-1", "+1", "1.0", "1e0", "0x1", "99999999999999999999", "1 "}) {
    Parameters read("page=" + std::string(number));
    EXPECT_EQ(read.number("page", 1, 9), std::nullopt) << number;
    EXPECT_THAT(problem_of(read), HasSubstr("page: expected a number from 1 to 9")) << number;
  }
  EXPECT_EQ(problem_of(Parameters("page=1&page=2")), "page: expected it once");
  for (const char* query : {"a=%", "a=%f", "a=%00", "a=%ff", "a=%0d%0a", "%zz=1"}) {
    EXPECT_THAT(problem_of(Parameters(query)), HasSubstr("percent-encoded UTF-8")) << query;
  }
  Parameters longish("search=" + std::string(256, 'a'));
  longish.text("search");
  EXPECT_THAT(problem_of(longish), HasSubstr("1 to 255 bytes"));
}

}  // namespace
}  // namespace collect::operators
