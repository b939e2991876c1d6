// SPDX-License-Identifier: Apache-2.0
// Item 2: one thread of a worker hangs with a batch in its hands, while the rest of its process lives: the
// others work, and so does the one that renews its lease.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <vector>

#include "faults/trial.h"

namespace collect::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kBeyondTheLease = 17s;

// A service whose threads can be held up at points: the first one that comes to each.
class Stalling {
 public:
  // One message makes a batch, so that a thread holds up those of one system.
  Stalling(EngineKind engine, std::size_t systems)
      : trial_(engine, {.seed = trial_seed(),
                        .systems = systems,
                        .most_pause = 1s,
                        .settings = {{"BATCH_PROCESSOR_SIZE", "1"}, {"WORKER_NOTIFICATION_COUNT", "2"}},
                        .program = crashing_collect()}) {}

  Trial& trial() { return trial_; }

  void begin(const std::string& points) {
    points_ = points;
    trial_.begin();
    trial_.report(1);  // from here on a report is a change, which goes through all stages
    EXPECT_TRUE(eventually([&] { return trial_.quiet(); }, 60s));
    Service& service = trial_.service();
    service.stop();
    std::ofstream{file()};
    service.settings()["COLLECT_STALL_AT"] = points;
    service.settings()["COLLECT_STALL_WHILE"] = file();
    service.start();
    service.settings().erase("COLLECT_STALL_AT");
  }
  bool is_told(const std::string& what) const {
    std::istringstream points(points_);
    const std::string log = trial_.service().log();
    for (std::string point; std::getline(points, point, ',');) {
      if (log.find(what + " at " + point) == std::string::npos) return false;
    }
    return true;
  }
  void expect_stalled() {
    ASSERT_TRUE(eventually([&] { return is_told("stalled"); }, 60s));
    since_ = std::chrono::steady_clock::now();
  }
  // At the earliest so long after it stalled.
  void wait_beyond_the_lease() const { std::this_thread::sleep_until(since_ + kBeyondTheLease); }
  void go_on() {
    std::filesystem::remove(file());
    EXPECT_TRUE(eventually([&] { return is_told("going on"); }, 60s));
  }

 private:
  std::filesystem::path file() const { return folder_.path() / "stalled"; }

  TempDir folder_;
  mutable Trial trial_;
  std::string points_;
  std::chrono::steady_clock::time_point since_;
};

constexpr const char* kStages[] = {"inventory", "processing", "notifications"};

// Who has something in hand, as the engine knows them.
std::vector<std::string> holders(Service& service) {
  std::string names;
  if (service.engine() == EngineKind::embedded) {
    names = service.sql("SELECT worker FROM queue_leases");
  } else {
    for (const char* stage : kStages)
      names += service.redis_cli({"zrange", std::string("collect:") + stage + ":leases", "0", "-1"}) + "\n";
  }
  std::vector<std::string> found;
  std::istringstream lines(names);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) found.push_back(line);
  }
  return found;
}

// As if nobody had renewed theirs for long. Of these alone: a message whose lease ends too often is dead.
void end_leases(Service& service, const std::vector<std::string>& workers) {
  for (const std::string& worker : workers) {
    if (service.engine() == EngineKind::embedded) {
      service.sql("UPDATE queue_leases SET expires_at = 0 WHERE worker = '" + worker + "'");
      continue;
    }
    for (const char* stage : kStages)
      service.redis_cli({"zadd", std::string("collect:") + stage + ":leases", "XX", "0", worker});
  }
}

constexpr const char* kInEachStage = "inventory.after_claim,processing.after_commit,notification.after_claim";

TEST(Faults, AThreadThatHangsHoldsUpOnlyWhatItHas) {
  std::array<Stalling, 2> both = {Stalling(EngineKind::embedded, 8), Stalling(EngineKind::servers, 8)};
  for (Stalling& each : both) {
    Trial& trial = each.trial();
    each.begin(kInEachStage);
    trial.report(1);
    each.expect_stalled();
    EXPECT_TRUE(eventually([&] { return trial.waiting() <= 3; }, 60s))
        << trial.waiting() << " wait, of which 3 are in the hands of those that hang";
    trial.report(1);  // waits for them, so that each system's order is kept
  }
  both.back().trial().start_worker();
  for (Stalling& each : both) {
    each.wait_beyond_the_lease();
    each.go_on();
    each.trial().report(1);
    each.trial().expect_whole();
  }
}

TEST(Faults, AThreadThatHangsBeyondItsLeaseSettlesNothing) {
  for (const EngineKind engine : {EngineKind::embedded, EngineKind::servers}) {
    SCOPED_TRACE(name_of(engine));
    Stalling each(engine, 8);
    Trial& trial = each.trial();
    each.begin(kInEachStage);
    trial.report(1);
    each.expect_stalled();
    ASSERT_TRUE(eventually([&] { return trial.waiting() <= 3; }, 60s));
    const auto hung = holders(trial.service());
    EXPECT_EQ(hung.size(), 3U);
    // Who renews them may come between; then they end once more.
    for (int tries = 0; tries < 20 && !trial.quiet(); ++tries) {
      end_leases(trial.service(), hung);
      eventually([&] { return trial.quiet(); }, 3s);
    }
    EXPECT_TRUE(trial.quiet()) << "nobody took the batches over";
    each.go_on();
    EXPECT_TRUE(
        eventually([&] { return trial.service().log().find("lease_lost") != std::string::npos; }, 60s));
    trial.report(2);
    trial.expect_whole();
  }
}

// In SQLite it is the one that writes, and everybody waits for it; leases end, because nobody can renew them.
TEST(Faults, AThreadHangsInItsTransaction) {
  std::array<Stalling, 2> both = {Stalling(EngineKind::embedded, 4), Stalling(EngineKind::servers, 4)};
  both.front().begin("processing.mid_transaction");
  both.back().begin("inventory.mid_transaction,processing.mid_transaction");
  for (Stalling& each : both) each.trial().start_reports();
  for (Stalling& each : both) each.expect_stalled();
  both.back().trial().expect_acceptances();
  for (Stalling& each : both) {
    each.wait_beyond_the_lease();
    each.go_on();
    each.trial().expect_acceptances();
    each.trial().stop_reports();
    each.trial().expect_whole();
  }
}

}  // namespace
}  // namespace collect::test
