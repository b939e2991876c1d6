// SPDX-License-Identifier: Apache-2.0
// One trial made of chance: an engine, settings, systems that report, and a row of faults, two at a time now
// and then. COLLECT_TEST_SEED tells the same one again (the choices, not their microseconds). `make
// test-faults` runs one after the other.
#include <gmock/gmock.h>
#include <signal.h>

#include <iostream>
#include <stdexcept>

#include "faults/failing_disk.h"
#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;
using Mood = TcpProxy::Mood;
using Moment = TcpProxy::Moment;
using Disk = FailingDisk::Fault;

// Two faults at a time are of two parts. They are mended in this order: Collect does not start without its
// servers.
enum class Part { disk, redis, postgres, collect };

struct Fault {
  std::string name;
  Part part;
  std::function<void()> breaks;
  std::function<void()> mends = [] {};
};

class Storm {
 public:
  explicit Storm(std::uint64_t seed)
      : dice_(seed),
        engine_(one_in(3) ? EngineKind::embedded : EngineKind::servers),
        trial_(engine_, options()) {
    if (engine_ == EngineKind::servers) {
      add_servers();
      add_wire("redis", Part::redis, trial_.redis_wire());
      add_wire("postgres", Part::postgres, trial_.postgres_wire());
    } else {
      add_disk();
    }
    add_collect();
  }

  void run() {
    begin();
    trial_.start_reports();
    const int rounds = between(5, 12);
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) one_round();
    std::cout << std::endl;
    // Only who was told to die later starts anew: all others have to recover as they are.
    if (may_die_later_) trial_.service().kill_hard();
    trial_.ensure_running();
    trial_.faults_are_over();
    trial_.stop_reports();
    if (one_in(2)) {
      trial_.kill_all();
      trial_.expect_nothing_lost();
    }
    trial_.expect_whole();
  }

 private:
  int between(int least, int most) { return std::uniform_int_distribution<int>(least, most)(dice_); }
  bool one_in(int chances) { return between(1, chances) == 1; }
  template <class... Choice>
  std::string one_of(Choice... choices) {
    const std::vector<std::string> all = {choices...};
    return all.at(static_cast<std::size_t>(between(0, static_cast<int>(all.size()) - 1)));
  }

  TrialOptions options() {
    TrialOptions options{.seed = dice_(),
                         .systems = static_cast<std::size_t>(between(2, 10)),
                         .most_pause = milliseconds(between(5, 200)),
                         .servers = Servers::own,
                         .program = crashing_collect(),
                         .restarts = true,
                         .condemns = true};
    if (engine_ == EngineKind::embedded) options.settings = disk_.environment();
    options.settings["WORKER_INVENTORY_COUNT"] = one_of("1", "2", "4");
    options.settings["WORKER_PROCESSING_COUNT"] = one_of("1", "2", "4");
    options.settings["WORKER_NOTIFICATION_COUNT"] = one_of("1", "2", "4");
    options.settings["DATABASE_MAX_CONNS"] = one_of("3", "10", "20");
    options.settings["QUEUE_MAX_DEPTH"] = one_of("100", "10000");
    return options;
  }

  void begin() {
    if (engine_ == EngineKind::servers) {
      PostgresServer& postgres = trial_.service().postgres();
      postgres.stop();
      postgres.start(disk_.environment());
      trial_.service().settings()["DATABASE_URL"] += "?options=-cdeadlock_timeout%3D300ms";
      trial_.service().redis_cli({"config", "set", "appendfsync", "always"});
    }
    trial_.begin();
    if (engine_ == EngineKind::servers && one_in(2)) trial_.start_worker();
    std::cout << name_of(engine_) << ':' << std::flush;
  }

  void one_round() {
    std::vector<const Fault*> now = {&some_fault()};
    if (one_in(3)) {
      const Fault& second = some_fault();
      if (second.part != now.front()->part) now.push_back(&second);
    }
    std::cout << ' ' << now.front()->name << (now.size() > 1 ? " + " + now.back()->name : "") << ','
              << std::flush;
    for (const Fault* fault : now) {
      fault->breaks();
      sleep_for(milliseconds(between(0, 300)));
    }
    sleep_for(milliseconds(one_in(8) ? between(5000, 20000) : between(0, 2000)));
    std::sort(now.begin(), now.end(), [](auto* one, auto* other) { return one->part < other->part; });
    for (const Fault* fault : now) fault->mends();
    trial_.ensure_running();
    trial_.expect_acceptances();
  }

  const Fault& some_fault() {
    return faults_.at(static_cast<std::size_t>(between(0, static_cast<int>(faults_.size()) - 1)));
  }
  void add(
      std::string name, Part part, std::function<void()> breaks, std::function<void()> mends = [] {}) {
    faults_.push_back({std::move(name), part, std::move(breaks), std::move(mends)});
  }

  void add_servers() {
    RedisServer& redis = trial_.service().redis();
    PostgresServer& postgres = trial_.service().postgres();
    const auto start_redis = [&redis] { redis.start({"--appendfsync", "always"}); };
    const auto config = [&redis](const char* name, const char* value) {
      return [=, &redis] { redis.cli({"config", "set", name, value}); };
    };
    add(
        "redis killed", Part::redis, [&redis] { redis.kill_hard(); }, start_redis);
    add(
        "redis stopped", Part::redis, [&redis] { redis.stop(); }, start_redis);
    add(
        "redis loads slowly", Part::redis, [&redis] { redis.stop(); },
        [&redis] {
          redis.start({"--appendfsync", "always", "--key-load-delay", "50",
                       "--loading-process-events-interval-bytes", "1024"});
        });
    add(
        "redis silent", Part::redis, [&redis] { redis.pause(); }, [&redis] { redis.resume(); });
    add("redis full", Part::redis, config("maxmemory", "100kb"), config("maxmemory", "0"));
    add("redis forgets its scripts", Part::redis, [&redis] { redis.cli({"script", "flush"}); });
    add(
        "redis read-only", Part::redis,
        [&redis] {
          redis.cli({"replicaof", "127.0.0.1", std::to_string(free_port())});
        },
        [&redis] {
          redis.cli({"replicaof", "no", "one"});
        });
    const auto start_postgres = [this, &postgres] { postgres.start(disk_.environment()); };
    add(
        "postgres killed", Part::postgres, [&postgres] { postgres.kill_hard(); }, start_postgres);
    add(
        "postgres stopped", Part::postgres, [&postgres] { postgres.stop(); }, start_postgres);
    add(
        "postgres silent", Part::postgres, [&postgres] { postgres.pause(); },
        [&postgres] { postgres.resume(); });
    add("postgres ends sessions", Part::postgres, [&postgres] { postgres.terminate_backends(); });
    add("postgres finds deadlocks", Part::postgres, [this] { rival(); });
    add(
        "postgres on a full disk", Part::postgres,
        [this, &postgres] { disk_.set(postgres.data() / "base", Disk::full, 1, true); },
        [this] { disk_.unset(); });
    add(
        "postgres fails to write once", Part::postgres,
        [this, &postgres] { disk_.set(postgres.data() / "base", Disk::full, between(1, 20)); },
        [this] { disk_.unset(); });
    add(
        "postgres panics", Part::postgres,
        [this, &postgres] { disk_.set(postgres.data() / "pg_wal", Disk::full, between(1, 20)); },
        [this, start_postgres] {
          disk_.unset();
          start_postgres();
        });
    add(
        "postgres has no room for its log", Part::postgres,
        [this, &postgres] { disk_.set(postgres.data() / "pg_wal", Disk::full, 1, true); },
        [this, start_postgres] {
          disk_.unset();
          start_postgres();
        });
  }

  void add_wire(const std::string& name, Part part, TcpProxy& wire) {
    const auto passes = [&wire] { wire.become(Mood::passes); };
    const auto unset = [&wire] { wire.unset(); };
    add(
        name + " a black hole", part, [&wire] { wire.become(Mood::swallows); }, passes);
    add(
        name + " unreachable", part, [&wire] { wire.become(Mood::refuses); }, passes);
    add(
        name + " slow", part, [this, &wire] { wire.delay(milliseconds(between(1, 200))); },
        [&wire] { wire.delay(0ms); });
    add(name + " resets", part, [&wire] { wire.reset_all(); });
    for (const Moment moment : {Moment::before_request, Moment::after_answer}) {
      const std::string where = moment == Moment::before_request ? " before a request" : " after an answer";
      add(
          name + " cut" + where, part,
          [this, &wire, moment] {
            wire.set({.moment = moment, .nth = static_cast<std::uint64_t>(between(1, 40))});
          },
          unset);
      add(
          "killed" + where + " of " + name, Part::collect,
          [this, &wire, moment] {
            const pid_t victim = trial_.service().pid();
            wire.set({.moment = moment, .nth = static_cast<std::uint64_t>(between(1, 40)), .act = [victim] {
                        kill(victim, SIGKILL);
                      }});
          },
          unset);
    }
  }

  void add_disk() {
    const auto fails = [this](Disk fault, bool lasting, std::int32_t kinds = FailingCalls::kWrites) {
      return [=, this] {
        disk_.set(trial_.service().folder() / "data", fault, lasting ? 1 : between(1, 60), lasting, kinds);
      };
    };
    const auto unset = [this] { disk_.unset(); };
    add("disk full", Part::disk, fails(Disk::full, true), unset);
    add("disk broken", Part::disk, fails(Disk::broken, true), unset);
    add("disk full once", Part::disk, fails(Disk::full, false), unset);
    add("disk broken once", Part::disk, fails(Disk::broken, false), unset);
    add("disk unreadable", Part::disk,
        fails(Disk::broken, true, FailingCalls::kAllButWrites & ~FailingCalls::kLocks), unset);
    add("disk unreadable once", Part::disk, fails(Disk::broken, false, FailingCalls::kAllButWrites), unset);
    add("killed at a write", Part::disk, fails(Disk::kills, false), unset);
    add("killed in a write", Part::disk, fails(Disk::tears_and_kills, false), unset);
    add("file held by another process", Part::disk, [this] {
      Process other({.command = {"/usr/bin/sqlite3", trial_.service().folder() / "data" / "collect.db"},
                     .input = ".timeout 5000\nBEGIN IMMEDIATE;\n.shell sleep " + one_of("0.2", "2", "7") +
                              "\nCOMMIT;\n"});
      other.wait_exit(30s);
    });
  }

  void add_collect() {
    Service& service = trial_.service();
    const auto start = [this] { trial_.ensure_running(); };
    add(
        "killed", Part::collect, [&service] { service.kill_hard(); }, start);
    add(
        "stopped", Part::collect, [&service] { service.stop(); }, start);
    add(
        "hung", Part::collect, [&service] { service.signal(SIGSTOP); },
        [&service] { service.signal(SIGCONT); });
    add(
        "dies at a point", Part::collect, [&service] { service.kill_hard(); },
        [this, &service] {
          if (service.running()) return;
          service.settings()["COLLECT_CRASH_AT"] =
              one_of("inventory.", "processing.", "notification.") +
              one_of("after_claim", "mid_transaction", "after_commit", "before_settle", "after_settle") +
              ":" + std::to_string(between(1, 20));
          try {
            service.start();
          } catch (const std::runtime_error&) {
            // It came there before it answered.
          }
          service.settings().erase("COLLECT_CRASH_AT");
          may_die_later_ = true;
          sleep_for(milliseconds(between(0, 1500)));
        });
    if (engine_ == EngineKind::embedded) return;
    add(
        "a worker comes", Part::collect, [] {}, [this] { worker_ = &trial_.start_worker(); });
    add(
        "a worker is killed", Part::collect,
        [this] {
          if (worker_ != nullptr) worker_->kill_hard();
        },
        [this] { worker_ = &trial_.start_worker(); });
    add(
        "a worker hangs", Part::collect,
        [this] {
          if (worker_ != nullptr) worker_->signal(SIGSTOP);
        },
        [this] {
          if (worker_ != nullptr) worker_->signal(SIGCONT);
        });
  }

  // Takes two systems in the other order, and waits for each other rather than give in.
  void rival() {
    const auto one = [](const char* which) {
      return std::string("SELECT 1 FROM systems WHERE id = (SELECT ") + which +
             "(id) FROM systems) FOR UPDATE; ";
    };
    for (int i = 0; i < 3; ++i) {
      trial_.service().sql("SET deadlock_timeout = '10min'; BEGIN; " + one("max") + "SELECT pg_sleep(0.1); " +
                           one("min") + "COMMIT");
    }
  }

  std::mt19937_64 dice_;
  const EngineKind engine_;
  FailingDisk disk_;
  Trial trial_;
  std::vector<Fault> faults_;
  Process* worker_ = nullptr;
  bool may_die_later_ = false;
};

TEST(Faults, AtRandom) {
  Storm(trial_seed()).run();
}

}  // namespace
}  // namespace collect::test
