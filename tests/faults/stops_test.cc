// SPDX-License-Identifier: Apache-2.0
// Item 3: SIGTERM under load.
#include <gmock/gmock.h>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

bool claims_empty(Service& service) {
  if (service.engine() == EngineKind::embedded)
    return service.sql("SELECT count(*) FROM queue_leases WHERE messages <> '[]'") == "0\n";
  return service.redis_cli({"keys", "*:claim:*"}).empty();
}

TEST(Faults, StopsInTimeUnderLoad) {
  const std::uint64_t seed = trial_seed();
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Trial trial(engine, {.seed = seed, .systems = 8, .most_pause = milliseconds(10)});
    trial.begin();
    trial.under_load([&] {
      for (int round = 0; round < 4; ++round) {
        sleep_for(trial.some_time(0, 600));
        const auto begin = steady_clock::now();
        EXPECT_EQ(trial.service().stop(), 0);
        EXPECT_LT(steady_clock::now() - begin, 30s);
        EXPECT_TRUE(claims_empty(trial.service()));
        trial.service().start();
        trial.expect_acceptances();
      }
    });
    trial.expect_whole();
  }
}

}  // namespace
}  // namespace collect::test
