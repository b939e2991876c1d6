// SPDX-License-Identifier: Apache-2.0
// Item 5: what can happen to PostgreSQL. Meanwhile inventories are accepted, because a 202 needs the queue
// alone; nothing dies for it; afterwards: recovery without anybody's help.
#include <gmock/gmock.h>
#include <libpq-fe.h>

#include <memory>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

TrialOptions with(Servers servers) {
  return {.seed = trial_seed(), .servers = servers};
}

std::size_t records(Service& service) {
  return std::stoull(service.sql("SELECT count(*) FROM processed_messages"));
}

// COLLECT_TEST_OUTAGE: how many seconds (4).
TEST(Faults, PostgresStopped) {
  Trial trial(EngineKind::servers, with(Servers::own));
  trial.begin();
  trial.under_load([&] {
    trial.service().postgres().stop();
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(number_given("COLLECT_TEST_OUTAGE", 4));
    while (std::chrono::steady_clock::now() < end) {
      trial.expect_acceptances();
      sleep_for(200ms);
    }
    trial.service().postgres().start();
  });
  trial.expect_whole();
}

TEST(Faults, PostgresSessionsEndedMidBatch) {
  Trial trial(EngineKind::servers, with(Servers::shared));
  trial.begin();
  trial.under_load([&] {
    for (int round = 0; round < 30; ++round) {
      trial.service().postgres().terminate_backends();
      sleep_for(trial.some_time(0, 60));
    }
  });
  trial.expect_whole();
}

TEST(Faults, PostgresFindsDeadlocks) {
  Trial trial(EngineKind::servers, with(Servers::shared));
  // Each looks for a deadlock once, when it has waited for so long. The rival never does, so that it is
  // Collect whose transaction is ended; and Collect does when the rival waits already.
  trial.service().settings()["DATABASE_URL"] += "?options=-cdeadlock_timeout%3D1s";
  trial.begin();
  Service& service = trial.service();
  const auto deadlocks = [&] {
    return std::stoi(
        service.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));
  };
  const int before = deadlocks();
  trial.under_load([&] {
    const auto one = [](const char* order) {
      return std::string("SELECT 1 FROM systems WHERE id = (SELECT ") + order +
             "(id) FROM systems) FOR UPDATE; ";
    };
    EXPECT_TRUE(eventually(
        [&] {
          service.sql("SET deadlock_timeout = '10min'; BEGIN; " + one("max") + "SELECT pg_sleep(0.1); " +
                      one("min") + "COMMIT");
          return deadlocks() >= before + 3;
        },
        150s));
  });
  trial.expect_whole();
}

TEST(Faults, PostgresHasNoSessionsLeft) {
  Trial trial(EngineKind::servers, with(Servers::own));
  PostgresServer& server = trial.service().postgres();
  server.sql(server.url(), "ALTER SYSTEM SET max_connections = 20");
  server.stop();
  server.start();
  trial.begin();
  trial.under_load([&] {
    std::vector<std::unique_ptr<PGconn, decltype(&PQfinish)>> taken;
    const auto take = [&] {
      taken.emplace_back(PQconnectdb(server.url().c_str()), &PQfinish);
      if (PQstatus(taken.back().get()) == CONNECTION_OK) return true;
      taken.pop_back();
      return false;
    };
    while (taken.empty() && !take()) sleep_for(10ms);
    // Collect's own sessions end, and their places are taken before it comes back for them.
    EXPECT_TRUE(eventually(
        [&] {
          PQclear(
              PQexec(taken.front().get(),
                     "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"));
          while (take()) {
          }
          return taken.size() >= 20;
        },
        60s));
    for (int i = 0; i < 3; ++i) trial.expect_acceptances();
    taken.clear();
  });
  trial.expect_whole();
}

TEST(Faults, PostgresCutAfterCommitWasSent) {
  Trial trial(EngineKind::servers, with(Servers::shared));
  trial.begin();
  trial.report(1);
  int cuts = 0;
  for (std::uint64_t round = 0; round < 12; ++round) {
    // A session says COMMIT in words only once.
    trial.postgres_wire().reset_all();
    trial.postgres_wire().set(
        {.moment = TcpProxy::Moment::after_answer, .containing = "COMMIT", .nth = 1 + round % 3});
    trial.report(1);
    eventually([&] { return trial.postgres_wire().wait_closed(0ms) || trial.quiet(); }, 30s);
    if (trial.postgres_wire().unset()) ++cuts;
  }
  EXPECT_GE(cuts, 4);
  trial.expect_whole();
}

// With its PostgreSQL, which has to be its own, on that disk.
PostgresServer& begin_on(FailingDisk& disk, Trial& trial) {
  PostgresServer& server = trial.service().postgres();
  server.stop();
  server.start(disk.environment());
  trial.begin();
  return server;
}

// ENOSPC from every write to its tables, as a full disk gives it.
TEST(Faults, PostgresOnAFullDisk) {
  FailingDisk disk;
  Trial trial(EngineKind::servers, with(Servers::own));
  PostgresServer& server = begin_on(disk, trial);
  trial.under_load([&] {
    disk.set(server.data() / "base", FailingDisk::Fault::full, 1, true);
    EXPECT_TRUE(eventually([&] { return disk.failed() > 0; }, 60s));
    for (int i = 0; i < 10; ++i) trial.expect_acceptances();
    EXPECT_TRUE(disk.unset());
  });
  EXPECT_GT(records(trial.service()), 0U);
  trial.expect_whole();
}

// How often it has said that since it was started.
std::size_t times(const PostgresServer& server, std::string_view text) {
  const std::string log = server.log();
  std::size_t count = 0;
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
  return count;
}

// Where its log of writes has no room, PostgreSQL gives itself up, recovers, cannot write the end of that
// either, and so on until there is room.
TEST(Faults, PostgresHasNoRoomForItsLog) {
  FailingDisk disk;
  Trial trial(EngineKind::servers, with(Servers::own));
  PostgresServer& server = begin_on(disk, trial);
  trial.under_load([&] {
    EXPECT_TRUE(eventually([&] { return records(trial.service()) > 0; }, 60s));
    disk.set(server.data() / "pg_wal", FailingDisk::Fault::full, 1, true);
    EXPECT_TRUE(eventually([&] { return times(server, "PANIC: ") >= 2; }, 60s)) << server.log();
    for (int i = 0; i < 10; ++i) trial.expect_acceptances();
    EXPECT_TRUE(disk.unset());
    server.start(disk.environment());  // waits for it; anew only if a recovery that failed was its end
  });
  trial.expect_whole();
}

// Of one write alone.
TEST(Faults, PostgresPanicsAndRecovers) {
  FailingDisk disk;
  Trial trial(EngineKind::servers, with(Servers::own));
  PostgresServer& server = begin_on(disk, trial);
  trial.under_load([&] {
    for (std::size_t round = 0; round < 3; ++round) {
      disk.set(server.data() / "pg_wal", FailingDisk::Fault::full, 1 + static_cast<std::int64_t>(round));
      EXPECT_TRUE(eventually([&] { return times(server, "PANIC: ") > round; }, 60s)) << server.log();
      EXPECT_TRUE(disk.unset());
      EXPECT_TRUE(eventually([&] { return times(server, "ready to accept connections") > round + 1; }, 60s))
          << server.log();
      const std::size_t before = records(trial.service());
      EXPECT_TRUE(eventually([&] { return records(trial.service()) > before; }, 60s));
    }
  });
  trial.expect_whole();
}

}  // namespace
}  // namespace collect::test
