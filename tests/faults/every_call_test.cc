// SPDX-License-Identifier: Apache-2.0
// Each request to Redis and to PostgreSQL in its turn is the one at which something happens: the connection
// is cut, or Collect is killed (kill -9); before the server heard the request, or after it did what was asked
// and nobody was told. Between two such points nothing differs that the outside could see, so these are the
// moments at which a process can die. COLLECT_TEST_EVERY=1 tries each, 7 every seventh (the seed says where
// to begin). Likewise each request of a start is cut.
#include <gmock/gmock.h>
#include <signal.h>

#include <iostream>

#include "faults/by_hand.h"
#include "faults/fault_loop.h"
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
    const auto is_met = [&] { return wire().wait_closed(0ms); };
    loop_.work_until_met(
        [&] {
          trial_.report(1);
          EXPECT_TRUE(eventually([&] { return is_met() || trial_.quiet(); }, 60s));
        },
        is_met);
    const bool met = wire().unset();
    if (met && kills) {
      trial_.service().kill_hard();
      trial_.expect_nothing_lost();
    }
    return met;
  }

  FaultLoop loop_;
  const std::uint64_t seed_ = trial_seed();
  int bad_ = 0;
  Trial trial_{EngineKind::servers,
               {.seed = seed_, .systems = 2, .settings = {{"QUEUE_RETRY_DELAY", "50ms"}}}};
};

TEST_P(EveryCall, MayFailAndNothingIsLostOrDoubled) {
  trial_.begin();
  const auto every = static_cast<std::uint64_t>(
      std::max(1, number_given("COLLECT_TEST_EVERY", GetParam().also_bad ? 6 : 3)));
  loop_.run(seed_, every, [this](std::uint64_t nth) { return meets_fault(nth); });
  std::cout << loop_.faults() << " faults, clean runs after " << loop_.calls() << " requests\n";
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

// A start after a kill, with an inventory in hand. It may be refused, with a reason; then the next one is as
// if nothing had been. One that is not refused knows as much of its servers as any other, and works.
struct StartPoint {
  const char* name;
  Wire wire;
  Moment moment;
};

class EveryStartOnServers : public testing::TestWithParam<StartPoint> {
 protected:
  static bool on_redis() { return GetParam().wire == Wire::redis; }
  TcpProxy& wire() { return on_redis() ? trial_.redis_wire() : trial_.postgres_wire(); }
  void begin() {
    trial_.begin();
    banner_ = trial_.service().banner();
    expect_work(0);
    trial_.report(1);
  }
  // The n-th request of a start meets the fault; false when that has fewer. One that only says good-bye has
  // no answer after which anything could be cut.
  bool comes_to_request(std::uint64_t nth) {
    Service& service = trial_.service();
    trial_.postgres_wire().become(TcpProxy::Mood::refuses);  // so that nothing is stored before the kill
    trial_.report(1);
    service.kill_without_condemning();
    trial_.postgres_wire().become(TcpProxy::Mood::passes);
    wire().reset_all();  // what the dead one still had on its way is no request of the start
    const std::size_t said_before = service.log().size();
    const std::uint64_t asked_before = wire().requests();
    wire().set({.moment = GetParam().moment, .nth = nth});
    try {
      service.start();
    } catch (const std::runtime_error& refusal) {
      expect_reason(refusal, service.log().substr(said_before));
      ++refused_;
      service.start();
    }
    EXPECT_EQ(service.banner(), banner_);
    expect_work(said_before);
    const std::uint64_t asked = wire().requests() - asked_before;
    const bool met = wire().unset();
    if (met) ++faults_;
    trial_.report(1);
    return met || asked >= nth;
  }
  void expect_reason(const std::runtime_error& refusal, const std::string& said) {
    Service& service = trial_.service();
    EXPECT_TRUE(wire().wait_closed(0ms)) << "nothing was in its way: " << refusal.what();
    EXPECT_FALSE(service.running()) << refusal.what();
    EXPECT_GT(service.exit_code().value_or(0), 0) << refusal.what();
    EXPECT_LT(service.exit_code().value_or(128), 128) << refusal.what();
    EXPECT_THAT(said, testing::ContainsRegex(on_redis() ? "collect: .*Redis.*collect doctor"
                                                        : "collect: .*PostgreSQL.*collect doctor"));
  }
  // It forgets all log-ins when it begins to hear of revocations, and without PostgreSQL it learns none.
  void expect_work(std::size_t said_before) {
    const auto hears = [&] {
      return trial_.service().log().find("revocations_subscribed", said_before) != std::string::npos;
    };
    EXPECT_TRUE(eventually([&] { return trial_.quiet() && hears(); }, 60s)) << "it does not work";
  }

  const std::uint64_t seed_ = trial_seed();
  Trial trial_{EngineKind::servers, {.seed = seed_, .systems = 1, .settings = {{"LOG_LEVEL", "info"}}}};
  std::string banner_;
  int faults_ = 0;
  int refused_ = 0;
};

TEST_P(EveryStartOnServers, IsRefusedWithAReasonOrWorks) {
  begin();
  const auto every =
      static_cast<std::uint64_t>(std::max(1, number_given("COLLECT_TEST_EVERY", on_redis() ? 6 : 9)));
  std::uint64_t n = 1 + seed_ % every;
  while (comes_to_request(n) && !HasFailure()) n += every;
  std::cout << faults_ << " faults, " << refused_ << " starts refused, a clean one after " << n - 1
            << " requests\n";
  EXPECT_GE(faults_, 5);
  EXPECT_GT(faults_, refused_);
  trial_.expect_whole();
}

INSTANTIATE_TEST_SUITE_P(
    , EveryStartOnServers,
    testing::Values(StartPoint{"CutBeforeRedisHears", Wire::redis, Moment::before_request},
                    StartPoint{"CutAfterRedisAnswered", Wire::redis, Moment::after_answer},
                    StartPoint{"CutBeforePostgresHears", Wire::postgres, Moment::before_request},
                    StartPoint{"CutAfterPostgresAnswered", Wire::postgres, Moment::after_answer}),
    [](const auto& point) { return point.param.name; });

}  // namespace
}  // namespace collect::test
