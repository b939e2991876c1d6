// SPDX-License-Identifier: Apache-2.0
#include "operators/guard.h"

#include <gtest/gtest.h>

namespace collect::operators {
namespace {

TEST(GuardTest, KnowsItsToken) {
  const Guard guard("0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(guard.admits("Bearer 0123456789abcdef0123456789abcdef"));
  EXPECT_TRUE(guard.admits("bearer 0123456789abcdef0123456789abcdef"));
  for (const char* wrong :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef",
        "Bearer  0123456789abcdef0123456789abcdef", "Bearer 0123456789abcdef0123456789abcdef ",
        "Basic 0123456789abcdef0123456789abcdef", "Bearer 0123456789ABCDEF0123456789abcdef"}) {
    EXPECT_FALSE(guard.admits(wrong)) << wrong;
  }
  EXPECT_EQ(unauthorized().status, 401);
}

}  // namespace
}  // namespace collect::operators
