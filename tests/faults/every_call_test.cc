// SPDX-License-Identifier: Apache-2.0
// Each request to Redis and to PostgreSQL in its turn is the one at which something happens: the connection
// is cut, or Collect is killed (kill -9); before the server heard the request, or after it did what was asked
// and nobody was told. Between two such points nothing differs that the outside could see, so these are all
// the moments at which a process can die. COLLECT_TEST_EVERY=1 tries each, 7 every seventh (the seed says
// where to begin).
#include <gmock/gmock.h>
#include <signal.h>

#include <iostream>

#include "faults/by_hand.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using Moment = TcpProxy::Moment;

enum class Wire { redis, postgres };
enum class Fault { cut, kill };

struct Point {
  const char* name;
  Fault fault;
  Wire wire;
  Moment moment;
  bool also_bad = false;  // beside what is good, a message that fails until it is a dead letter
};

class EveryCall : public testing::TestWithParam<Point> {
 protected:
  TcpProxy& wire() { return GetParam().wire == Wire::redis ? trial_.redis_wire() : trial_.postgres_wire(); }
  // The n-th request of a small workload meets the fault; false when that has fewer.
  bool meets_fault(std::uint64_t nth) {
    trial_.ensure_running();
    EXPECT_TRUE(eventually([&] { return trial_.quiet(); }, 60s)) << "no recovery from the last one";
    const bool kills = GetParam().fault == Fault::kill;
    const pid_t victim = trial_.service().pid();
    wire().set({.moment = GetParam().moment, .nth = nth, .act = [=] {
                  if (kills) kill(victim, SIGKILL);
                }});
    if (GetParam().also_bad) {
      const std::string id = numbered_id(++bad_);
      push_by_hand(trial_.service(),
                   message_of(id, {.id = "nobody", .key = "", .secret = ""}, "2026-01-02T03:04:05Z", "{}"));
    }
    trial_.report(1);
    eventually([&] { return wire().wait_closed(0ms) || trial_.quiet(); }, 30s);
    const bool met = wire().unset();
    if (met && kills) {
      trial_.service().kill_hard();
      trial_.expect_nothing_lost();
    }
    return met;
  }

  const std::uint64_t seed_ = trial_seed();
  int bad_ = 0;
  Trial trial_{EngineKind::servers,
               {.seed = seed_, .systems = 2, .settings = {{"QUEUE_RETRY_DELAY", "50ms"}}}};
};

TEST_P(EveryCall, MayFailAndNothingIsLostOrDoubled) {
  trial_.begin();
  const auto every = static_cast<std::uint64_t>(
      std::max(1, number_given("COLLECT_TEST_EVERY", GetParam().also_bad ? 9 : 3)));
  std::uint64_t n = 1 + seed_ % every;
  int faults = 0;
  for (; meets_fault(n) && !HasFailure(); n += every) ++faults;
  std::cout << faults << " faults, a clean run after " << n - 1 << " requests\n";
  EXPECT_GT(faults, 0);
  trial_.expect_whole(static_cast<std::size_t>(bad_));
  EXPECT_EQ(trial_.service().dead_letters(), static_cast<std::size_t>(bad_)) << "each as one dead letter";
}

INSTANTIATE_TEST_SUITE_P(
    , EveryCall,
    testing::Values(Point{"CutBeforeRedisHears", Fault::cut, Wire::redis, Moment::before_request},
                    Point{"CutAfterRedisAnswered", Fault::cut, Wire::redis, Moment::after_answer},
                    Point{"CutBeforePostgresHears", Fault::cut, Wire::postgres, Moment::before_request},
                    Point{"CutAfterPostgresAnswered", Fault::cut, Wire::postgres, Moment::after_answer},
                    Point{"KilledBeforeRedisHears", Fault::kill, Wire::redis, Moment::before_request},
                    Point{"KilledAfterRedisAnswered", Fault::kill, Wire::redis, Moment::after_answer},
                    Point{"KilledBeforePostgresHears", Fault::kill, Wire::postgres, Moment::before_request},
                    Point{"KilledAfterPostgresAnswered", Fault::kill, Wire::postgres, Moment::after_answer},
                    Point{"KilledWhileSomethingFails", Fault::kill, Wire::redis, Moment::after_answer, true},
                    Point{"KilledBetweenBookingAndBurying", Fault::kill, Wire::postgres, Moment::after_answer,
                          true}),
    [](const auto& point) { return point.param.name; });

}  // namespace
}  // namespace collect::test
