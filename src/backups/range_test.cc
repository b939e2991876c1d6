// SPDX-License-Identifier: Apache-2.0
#include "backups/range.h"

#include <gtest/gtest.h>

#include <string>

namespace collect::backups {
namespace {

std::string asked(std::string_view range, std::uint64_t size = 1000) {
  const RangeAsked found = read_range(range, size);
  if (found.kind == RangeAsked::Kind::whole) return "whole";
  if (found.kind == RangeAsked::Kind::unsatisfiable) return "unsatisfiable";
  return std::to_string(found.part.offset) + "+" + std::to_string(found.part.length);
}

TEST(Range, OfBytes) {
  EXPECT_EQ(asked("bytes=0-0"), "0+1");
  EXPECT_EQ(asked("bytes=0-999"), "0+1000");
  EXPECT_EQ(asked("bytes=200-"), "200+800");
  EXPECT_EQ(asked("bytes=200-5000"), "200+800");
  EXPECT_EQ(asked("bytes=999-99999999999999999999999999"), "999+1");
  EXPECT_EQ(asked("bytes=-300"), "700+300");
  EXPECT_EQ(asked("bytes=-99999999999999999999999999"), "0+1000");
  EXPECT_EQ(asked("BYTES=1-2"), "1+2");
}

TEST(Range, BeyondTheEnd) {
  EXPECT_EQ(asked("bytes=1000-"), "unsatisfiable");
  EXPECT_EQ(asked("bytes=99999999999999999999999999-"), "unsatisfiable");
  EXPECT_EQ(asked("bytes=-0"), "unsatisfiable");
}

TEST(Range, WhatIsNoneIsIgnored) {
  for (const char* none :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2,4-5", "bytes=+1-2",
        "bytes= 1-2", "bytes=1-2 ", "items=1-2", "bytes=0x1-2", "bytes=1--2"}) {
    EXPECT_EQ(asked(none), "whole") << none;
  }
}

}  // namespace
}  // namespace collect::backups
