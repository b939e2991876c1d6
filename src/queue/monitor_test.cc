// SPDX-License-Identifier: Apache-2.0
#include "queue/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/memory_queue_test.h"

namespace collect::queue {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

// Whoever reads the log wants to know whether a queue grows, and how fast the workers are.
TEST(Monitor, LogsRatesBesideTheDepth) {
  MemoryQueue queue;
  ManualClock clock(Time(seconds(1'800'000'000)));
  std::uint64_t handled = 500;
  Monitor monitor(queue, clock,
                  [&](Stage stage) { return stage == Stage::inventory ? handled : std::uint64_t{0}; });
  const auto lines_of_a_run = [&] {
    testing::internal::CaptureStderr();
    monitor.run();
    return testing::internal::GetCapturedStderr();
  };

  EXPECT_THAT(lines_of_a_run(), AllOf(HasSubstr("\"ready\":0,"), HasSubstr("\"growth_per_minute\":0"),
                                      HasSubstr("\"handled_per_minute\":0")));
  ASSERT_TRUE(queue.enqueue(Stage::inventory, std::vector<std::string>{"a", "b", "c"}));
  handled += 100;
  clock.advance(seconds(30));
  EXPECT_THAT(lines_of_a_run(), AllOf(HasSubstr("\"ready\":3,"), HasSubstr("\"growth_per_minute\":6"),
                                      HasSubstr("\"handled_per_minute\":200")));
  clock.advance(seconds(30));
  const std::string steady = lines_of_a_run();
  EXPECT_THAT(steady, Not(HasSubstr("per_minute\":6")));
  EXPECT_THAT(steady, Not(HasSubstr("per_minute\":200")));
}

}  // namespace
}  // namespace collect::queue
