// SPDX-License-Identifier: Apache-2.0
// The embedded engine: each call that writes or syncs its files in its turn is the one that fails, or the
// last one of the process (kill -9), or one of which half is done. Likewise each that reads, opens, removes
// or locks them, at work and at the start. COLLECT_TEST_EVERY=1 tries each.
#include <gmock/gmock.h>

#include <iostream>

#include "faults/failing_disk.h"
#include "faults/fault_loop.h"
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
  // The n-th call of a small workload meets the fault; false when that has fewer.
  bool meets_fault(std::int64_t nth) {
    trial_.ensure_running();
    EXPECT_TRUE(eventually([&] { return trial_.quiet(); }, 60s)) << "no recovery from the last one";
    disk_.set(trial_.service().folder() / "data", GetParam().fault, nth, false, GetParam().kinds);
    const auto is_met = [&] { return disk_.failed() > 0; };
    loop_.work_until_met(
        [&] {
          trial_.report(1);
          EXPECT_TRUE(eventually([&] { return is_met() || trial_.quiet(); }, 60s));
        },
        is_met);
    const bool met = disk_.unset();
    if (met && kills()) {
      trial_.service().kill_hard();
      trial_.expect_nothing_lost();
    }
    return met;
  }

  FaultLoop loop_;
  const std::uint64_t seed_ = trial_seed();
  FailingDisk disk_;
  Trial trial_{EngineKind::embedded, {.seed = seed_, .systems = 2, .settings = disk_.environment()}};
};

TEST_P(EveryWrite, MayFailAndNothingIsLostOrDoubled) {
  trial_.begin();
  const int every = std::max(1, number_given("COLLECT_TEST_EVERY", GetParam().every));
  loop_.run(seed_, static_cast<std::uint64_t>(every),
            [this](std::uint64_t nth) { return meets_fault(static_cast<std::int64_t>(nth)); });
  std::cout << loop_.faults() << " faults, clean runs after " << loop_.calls() << " calls\n";
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
