// SPDX-License-Identifier: Apache-2.0
// Item 4: what can happen to Redis. Meanwhile: 503 with Retry-After (whoever reports checks that).
// Afterwards: recovery without anybody's help.
#include <gmock/gmock.h>

#include <csignal>
#include <future>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

class RedisTrial : public Trial {
 public:
  RedisTrial() : Trial(EngineKind::servers, {.seed = trial_seed(), .servers = Servers::own_redis}) {
    begin();
  }
  RedisServer& redis() { return service().redis(); }
  bool is_loading() try {
    return redis().cli({"ping"}).starts_with("LOADING");
  } catch (const std::runtime_error&) {
    return false;  // it does not listen yet
  }
  void set(const std::string& name, const std::string& value) { redis().cli({"config", "set", name, value}); }
};

TEST(Faults, RedisKilledAndRestarted) {
  RedisTrial trial;
  // With `everysec` a kill of Redis may cost what a slow disk held up (docs/operations.md).
  trial.set("appendfsync", "always");
  trial.under_load([&] {
    for (int round = 0; round < 3; ++round) {
      trial.redis().kill_hard();
      trial.expect_refusals();
      trial.redis().start({"--appendfsync", "always"});
      trial.expect_acceptances();
    }
  });
  trial.expect_whole();
}

TEST(Faults, RedisForgetsItsScripts) {
  RedisTrial trial;
  trial.under_load([&] {
    for (int round = 0; round < 20; ++round) {
      trial.redis().cli({"script", "flush"});
      sleep_for(trial.some_time(0, 50));
    }
  });
  trial.expect_whole();
}

TEST(Faults, RedisIsSlow) {
  RedisTrial trial;
  trial.under_load([&] {
    trial.redis_wire().delay(150ms);
    for (int round = 0; round < 3; ++round) trial.expect_acceptances();
    trial.redis_wire().delay(0ms);
  });
  trial.expect_whole();
}

TEST(Faults, RedisIsABlackHole) {
  RedisTrial trial;
  trial.under_load([&] {
    trial.redis_wire().become(TcpProxy::Mood::swallows);
    trial.expect_refusals();
    trial.redis_wire().become(TcpProxy::Mood::passes);
  });
  trial.expect_whole();
}

TEST(Faults, RedisIsSilent) {
  RedisTrial trial;
  trial.under_load([&] {
    trial.redis().pause();
    trial.expect_refusals();
    trial.redis().resume();
  });
  trial.expect_whole();
}

TEST(Faults, RedisIsReadOnly) {
  RedisTrial trial;
  trial.under_load([&] {
    for (int round = 0; round < 2; ++round) {
      trial.redis().cli({"replicaof", "127.0.0.1", std::to_string(free_port())});
      trial.expect_refusals();
      sleep_for(500ms);
      trial.redis().cli({"replicaof", "no", "one"});
      trial.expect_acceptances();
    }
  });
  trial.expect_whole();
}

TEST(Faults, RedisIsLoading) {
  RedisTrial trial;
  trial.redis().cli(
      {"eval", "for i = 1, 3000 do redis.call('set', 'filler:' .. i, string.rep('x', 400)) end", "0"});
  trial.under_load([&] {
    trial.redis().stop();
    // A millisecond for each key, and a look at its clients now and then.
    auto started = std::async(std::launch::async, [&] {
      trial.redis().start({"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"});
    });
    EXPECT_TRUE(eventually([&] { return trial.is_loading(); }, 20s));
    trial.expect_refusals();
    started.get();
  });
  trial.expect_whole();
}

TEST(Faults, RedisAnswerCutAfterThePush) {
  RedisTrial trial;
  for (std::uint64_t nth = 1; nth <= 5; ++nth) {
    // Only what is pushed has a body in it.
    trial.redis_wire().set(
        {.moment = TcpProxy::Moment::after_answer, .containing = "schema.nethserver.org", .nth = nth});
    trial.report(2);
    EXPECT_TRUE(trial.redis_wire().unset()) << nth;
  }
  trial.expect_whole();
}

// Draining goes on while nothing new fits.
TEST(Faults, RedisIsFull) {
  RedisTrial trial;
  Service& service = trial.service();
  service.stop();
  service.start({"--role", "api"});
  trial.report(30);
  trial.set("maxmemory-policy", "noeviction");
  trial.set("maxmemory", "100kb");
  Appliance box(service, service.new_system("Late"));
  const auto refused = box.post(labelled_inventory("too late"));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_NE(refused.header("Retry-After"), "");
  Process& worker = trial.start_worker();
  EXPECT_TRUE(eventually([&] { return trial.quiet(); }, 60s)) << worker.err();
  EXPECT_EQ(box.post(labelled_inventory("too late")).status, 503);
  trial.set("maxmemory", "0");
  box.report(labelled_inventory("in time"));
  trial.under_load([&] {
    trial.set("maxmemory", "100kb");
    trial.expect_refusals();
    trial.set("maxmemory", "0");
  });
  trial.expect_whole();
}

// With all that is in it, after something was stored and before anything came of it. The sweep looks each
// minute.
TEST(Faults, RedisIsLost) {
  Trial trial(
      EngineKind::servers,
      {.seed = trial_seed(), .systems = 3, .servers = Servers::own_redis, .program = crashing_collect()});
  trial.begin();
  Service& service = trial.service();
  const auto count = [&](const std::string& what) {
    return std::stoull(service.sql("SELECT count(*) FROM " + what));
  };
  const std::string not_compared = "inventory_records WHERE processed_at IS NULL";
  const std::string not_told = "inventory_diffs WHERE notification_sent = false";
  trial.report(1);
  ASSERT_TRUE(eventually([&] { return trial.quiet(); }, 60s));
  service.stop();
  const std::pair<std::string, std::string> losses[] = {{"processing.after_commit", not_told},
                                                        {"inventory.after_commit", not_compared}};
  for (const auto& [moment, unfinished] : losses) {
    SCOPED_TRACE(moment);
    service.start({"--role", "api"});
    trial.report(3);
    // It finds all of them in line and takes them in one batch, so that none is left in Redis alone.
    service.settings()["COLLECT_CRASH_AT"] = moment;
    const auto worker = service.launch({"serve", "--role", "worker"});
    service.settings().erase("COLLECT_CRASH_AT");
    ASSERT_EQ(worker->wait_exit(60s), 128 + SIGKILL) << worker->err();
    service.kill_hard();
    ASSERT_EQ(count("processed_messages"), trial.accepted()) << "not all was stored: nothing is promised";
    EXPECT_GT(count(unfinished), 0U);
    service.redis().flush();
  }
  service.start();
  EXPECT_TRUE(eventually([&] { return count(not_compared) + count(not_told) == 0; }, 5min))
      << count(not_compared) << " records and " << count(not_told) << " changes are forgotten";
  trial.expect_whole();
}

TEST(Faults, RedisOnAFullDisk) {
  for (const char* sync : {"everysec", "always"}) {
    SCOPED_TRACE(sync);
    FailingDisk disk;
    RedisTrial trial;
    trial.redis().stop();
    trial.redis().start({"--appendfsync", sync}, disk.environment());
    trial.under_load([&] {
      disk.set(trial.redis().folder(), FailingDisk::Fault::full, 1, true);
      EXPECT_TRUE(eventually([&] { return disk.failed() > 0; }, 60s));
      trial.expect_refusals();
      EXPECT_TRUE(disk.unset());
      // With `always` it ends itself rather than say that it synced.
      if (!trial.redis().running()) trial.redis().start({"--appendfsync", sync}, disk.environment());
      trial.expect_acceptances();
    });
    trial.expect_whole();
  }
}

}  // namespace
}  // namespace collect::test
