// SPDX-License-Identifier: Apache-2.0
// A fault at the n-th call or request of a small workload, for one n after the other. How many calls a
// workload makes differs from time to time, as more or less is claimed together.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

namespace collect::test {

class FaultLoop {
 public:
  static constexpr int kFaults = 5;  // at least

  // Goes on until three workloads in a row were over before their n-th call. meets_fault(n): whether one met
  // it.
  template <class MeetsFault>
  void run(std::uint64_t seed, std::uint64_t every, MeetsFault meets_fault) {
    constexpr int kCleanRuns = 3;
    nth_ = 1 + seed % every;
    for (int clean = 0; clean < kCleanRuns && !testing::Test::HasFailure();) {
      if (meets_fault(nth_)) {
        ++faults_;
        nth_ += every;
        clean = 0;
      } else {
        ++clean;
      }
    }
    EXPECT_GE(faults_, kFaults);
  }

  // The workload: `work` until its fault is met; once as long as it is, and again where too few were met yet.
  template <class Work, class IsMet>
  void work_until_met(Work work, IsMet is_met) {
    constexpr int kMostRounds = 20;
    int rounds = 0;
    do {
      EXPECT_LT(rounds++, kMostRounds) << "there is no call " << nth_;
      work();
    } while (faults_ < kFaults && !is_met() && !testing::Test::HasFailure());
  }

  [[nodiscard]] int faults() const { return faults_; }
  // Calls before the one that no workload had.
  [[nodiscard]] std::uint64_t calls() const { return nth_ - 1; }

 private:
  std::uint64_t nth_ = 1;
  int faults_ = 0;
};

}  // namespace collect::test
