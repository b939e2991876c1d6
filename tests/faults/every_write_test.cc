// SPDX-License-Identifier: Apache-2.0
// The embedded engine: each call that writes or syncs its files in its turn is the one that fails, or the
// last one of the process (kill -9), or one of which half is done. COLLECT_TEST_EVERY=1 tries each.
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
};

class EveryWrite : public testing::TestWithParam<Case> {
 protected:
  static bool kills() {
    return GetParam().fault == Fault::kills || GetParam().fault == Fault::tears_and_kills;
  }
  bool meets_fault(std::int64_t nth) {
    trial_.ensure_running();
    EXPECT_TRUE(eventually([&] { return trial_.quiet(); }, 60s)) << "no recovery from the last one";
    disk_.set(trial_.service().folder() / "data", GetParam().fault, nth);
    trial_.report(1);
    eventually([&] { return disk_.failed() > 0 || trial_.quiet(); }, 30s);
    const bool met = disk_.unset();
    if (met && kills()) {
      trial_.service().kill_hard();
      trial_.expect_nothing_lost();
    }
    return met;
  }

  const std::uint64_t seed_ = trial_seed();
  FailingDisk disk_;
  Trial trial_{EngineKind::embedded, {.seed = seed_, .systems = 2, .settings = disk_.environment()}};
};

TEST_P(EveryWrite, MayFailAndNothingIsLostOrDoubled) {
  trial_.begin();
  const int every = std::max(1, number_given("COLLECT_TEST_EVERY", kills() ? 17 : 3));
  std::int64_t n = 1 + static_cast<std::int64_t>(seed_ % static_cast<std::uint64_t>(every));
  int faults = 0;
  for (; meets_fault(n) && !HasFailure(); n += every) ++faults;
  std::cout << faults << " faults, a clean run after " << n - 1 << " calls\n";
  EXPECT_GT(faults, 0);
  trial_.expect_whole();
}

INSTANTIATE_TEST_SUITE_P(, EveryWrite,
                         testing::Values(Case{"Broken", Fault::broken}, Case{"Full", Fault::full},
                                         Case{"Killed", Fault::kills}, Case{"Torn", Fault::tears_and_kills}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace collect::test
