// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/log_sync.h"

#include <gtest/gtest.h>

namespace collect::sqlite {
namespace {

TEST(LogSyncTest, SyncsOnceForAllThatAreInTheLog) {
  int syncs = 0;
  LogSync log([&] { return ++syncs > 0; });
  const auto first = log.committed();
  const auto second = log.committed();
  EXPECT_TRUE(log.wait(second).ok());
  EXPECT_TRUE(log.wait(first).ok());
  EXPECT_EQ(syncs, 1);
  EXPECT_TRUE(log.wait(log.committed()).ok());
  EXPECT_EQ(syncs, 2);
}

TEST(LogSyncTest, WhatFollowsAGapIsNotKeptHoweverWellItIsWritten) {
  bool works = true;
  LogSync log([&] { return works; });
  const auto kept = log.committed();
  ASSERT_TRUE(log.wait(kept).ok());
  works = false;
  const auto lost = log.committed();
  const auto failed = log.wait(lost);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.failure().kind, FailureKind::unavailable);
  works = true;
  EXPECT_TRUE(log.failed());
  EXPECT_FALSE(log.wait(lost).ok());
  const auto behind = log.committed();
  EXPECT_FALSE(log.wait(behind).ok());
  EXPECT_TRUE(log.wait(kept).ok());

  log.everything_is_kept();
  EXPECT_FALSE(log.failed());
  EXPECT_TRUE(log.wait(behind).ok());
  EXPECT_TRUE(log.wait(log.committed()).ok());
}

}  // namespace
}  // namespace collect::sqlite
