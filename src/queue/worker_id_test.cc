// SPDX-License-Identifier: Apache-2.0
#include "queue/worker_id.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace collect::queue {
namespace {

TEST(WorkerId, NamesHostProcessBootAndThread) {
  const auto worker = this_worker("inventory-0");
  EXPECT_EQ(std::count(worker.text.begin(), worker.text.end(), ':'), 3);
  EXPECT_TRUE(worker.text.ends_with(":inventory-0"));
  EXPECT_EQ(worker, this_worker("inventory-0"));
  EXPECT_NE(worker, this_worker("inventory-1"));
}

TEST(WorkerId, OfARunningProcessIsNotGone) {
  EXPECT_FALSE(is_gone(this_worker("a").text));
}

TEST(WorkerId, OfAnEndedProcessIsGone) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto worker = this_worker("a");
    const auto written = write(ends[1], worker.text.data(), worker.text.size());
    _exit(written > 0 ? 0 : 1);
  }
  std::array<char, 512> text{};
  const auto length = read(ends[0], text.data(), text.size());
  ASSERT_GT(length, 0);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_TRUE(is_gone({text.data(), static_cast<std::size_t>(length)}));
}

TEST(WorkerId, OfAReusedProcessNumberIsGone) {
  auto worker = this_worker("a").text;
  const auto dash = worker.find('-', worker.find(':'));
  worker.insert(dash + 1, "9");
  EXPECT_TRUE(is_gone(worker));
}

TEST(WorkerId, InDoubtIsNotGone) {
  const auto worker = this_worker("a").text;
  EXPECT_FALSE(is_gone(""));
  EXPECT_FALSE(is_gone("a:b"));
  EXPECT_FALSE(is_gone("other" + worker));
  EXPECT_FALSE(is_gone(worker.substr(0, worker.find(':')) + ":999999999:another-boot:a"));
  auto elsewhere = worker;
  elsewhere.insert(elsewhere.find(':', elsewhere.find(':') + 1), "1");  // another pid namespace
  EXPECT_FALSE(is_gone(elsewhere));
}

}  // namespace
}  // namespace collect::queue
