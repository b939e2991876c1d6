// SPDX-License-Identifier: Apache-2.0
// The embedded engine: each call that writes or syncs its files in its turn is the one that fails, or the
// last one of the process (kill -9), or one of which half is done. Likewise each that reads, opens, removes
// or locks them, at work and at the start. COLLECT_TEST_EVERY=1 tries each.
#include <gmock/gmock.h>

#include <iostream>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using Fault = FailingDisk::Fault;

struct Case {
  const char* name;
  Fault fault;
  std::int32_t kinds = FailingCalls::kWrites;
  int every = 3;
};

class EveryWrite : public testing::TestWithParam<Case> {
 protected:
  static bool kills() {
    return GetParam().fault == Fault::kills || GetParam().fault == Fault::tears_and_kills;
  }
  // The n-th call of a small workload meets the fault; false when that has fewer. How many it has differs
  // from time to time: one that would be over before enough was tried goes on until its n-th.
  bool meets_fault(std::int64_t nth) {
    trial_.ensure_running();
    EXPECT_TRUE(eventually([&] { return trial_.quiet(); }, 60s)) << "no recovery from the last one";
    disk_.set(trial_.service().folder() / "data", GetParam().fault, nth, false, GetParam().kinds);
    int rounds = 0;
    do {
      EXPECT_LT(rounds++, kMostRounds) << "there is no call " << nth;
      trial_.report(1);
      EXPECT_TRUE(eventually([&] { return disk_.failed() > 0 || trial_.quiet(); }, 60s));
    } while (faults_ < kFaults && disk_.failed() == 0 && !HasFailure());
    const bool met = disk_.unset();
    if (met) ++faults_;
    if (met && kills()) {
      trial_.service().kill_hard();
      trial_.expect_nothing_lost();
    }
    return met;
  }

  static constexpr int kFaults = 5;       // at least
  static constexpr int kMostRounds = 20;  // of one workload
  static constexpr int kCleanRuns = 3;    // in a row: then no workload has as many calls
  const std::uint64_t seed_ = trial_seed();
  int faults_ = 0;
  FailingDisk disk_;
  Trial trial_{EngineKind::embedded, {.seed = seed_, .systems = 2, .settings = disk_.environment()}};
};

TEST_P(EveryWrite, MayFailAndNothingIsLostOrDoubled) {
  trial_.begin();
  const int every = std::max(1, number_given("COLLECT_TEST_EVERY", GetParam().every));
  std::int64_t n = 1 + static_cast<std::int64_t>(seed_ % static_cast<std::uint64_t>(every));
  for (int clean = 0; clean < kCleanRuns && !HasFailure();) {
    if (meets_fault(n)) {
      n += every;
      clean = 0;
    } else {
      ++clean;
    }
  }
  std::cout << faults_ << " faults, clean runs after " << n - 1 << " calls\n";
  EXPECT_GE(faults_, kFaults);
  trial_.expect_whole();
}

INSTANTIATE_TEST_SUITE_P(, EveryWrite,
                         testing::Values(Case{"Broken", Fault::broken}, Case{"Full", Fault::full},
                                         Case{"Killed", Fault::kills, FailingCalls::kWrites, 17},
                                         Case{"Torn", Fault::tears_and_kills, FailingCalls::kWrites, 17},
                                         Case{"Unreadable", Fault::broken,
                                              FailingCalls::kAllButWrites & ~FailingCalls::kLocks, 1},
                                         Case{"NotLocked", Fault::broken, FailingCalls::kLocks, 3}),
                         [](const auto& each) { return each.param.name; });

// A start after a kill reads the log of writes anew. It may be refused, with a reason; then the next one is
// as if nothing had been. One that is not refused leaves nothing behind that would not work.
class EveryStart : public testing::Test {
 protected:
  bool meets_fault(std::int64_t nth) {
    Service& service = trial_.service();
    trial_.report(1);
    service.kill_without_condemning();
    disk_.set(service.folder() / "data", Fault::broken, nth, false,
              FailingCalls::kAllButWrites | FailingCalls::kWrites);
    try {
      service.start();
    } catch (const std::runtime_error& refusal) {
      EXPECT_FALSE(service.running()) << refusal.what();
      EXPECT_GT(service.exit_code().value_or(0), 0) << refusal.what();
      EXPECT_LT(service.exit_code().value_or(128), 128) << refusal.what();
      EXPECT_NE(service.log().find("collect: "), std::string::npos) << refusal.what();
      ++refused_;
      service.start();
    }
    const bool met = disk_.unset();
    trial_.report(1);
    return met;
  }

  const std::uint64_t seed_ = trial_seed();
  FailingDisk disk_;
  Trial trial_{EngineKind::embedded, {.seed = seed_, .systems = 1, .settings = disk_.environment()}};
  int refused_ = 0;
};

TEST_F(EveryStart, IsRefusedWithAReasonOrWorks) {
  trial_.begin();
  const int every = std::max(1, number_given("COLLECT_TEST_EVERY", 4));
  std::int64_t n = 1 + static_cast<std::int64_t>(seed_ % static_cast<std::uint64_t>(every));
  int faults = 0;
  for (; meets_fault(n) && !HasFailure(); n += every) ++faults;
  std::cout << faults << " faults, " << refused_ << " starts refused, a clean one after " << n - 1
            << " calls\n";
  EXPECT_GT(refused_, 0);
  EXPECT_GT(faults, refused_);
  trial_.expect_whole();
}

}  // namespace
}  // namespace collect::test
