// SPDX-License-Identifier: Apache-2.0
#include "app/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace collect::app {
namespace {

TEST(Descriptors, AreRaisedToWhatIsAllowed) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{before.rlim_max / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
}

TEST(Descriptors, AreNotAllForConnections) {
  EXPECT_EQ(connections_within(65536), 65024U);
  EXPECT_EQ(connections_within(1024), 512U);
  EXPECT_EQ(connections_within(1025), 513U);
  EXPECT_EQ(connections_within(100), 50U);
}

}  // namespace
}  // namespace collect::app
