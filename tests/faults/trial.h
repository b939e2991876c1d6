// SPDX-License-Identifier: Apache-2.0
// One service under faults: systems that know what they sent and what they were answered, wires that a test
// may cut, and the oracle that says whether the promise of a 202 was kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "journey/alerts_seen.h"
#include "journey/reporter.h"
#include "support/tcp_proxy.h"

namespace collect::test {

// COLLECT_TEST_SEED, else always the same: these tests repeat what they did. Printed. `make test-faults`
// gives others.
std::uint64_t trial_seed();

struct TrialOptions {
  std::uint64_t seed = 1;
  std::size_t systems = 4;
  milliseconds most_pause{100};  // of each system between two inventories
  Environment settings = {};
  Servers servers = Servers::shared;
  std::filesystem::path program = collect_binary();
  bool two_doors = false;  // the systems go from one to the other with each report: open_second_door()
  bool restarts = false;   // whenever it is found dead while somebody waits
  // Nobody looks before a kill: what three ends find in hand is a dead letter, as promised.
  bool condemns = false;
};

// Collect with points at which a setting makes it die or hang (crash_points.cc).
std::filesystem::path crashing_collect();

// The labels that a system reports, step by step: mostly new ones, sometimes the one before once more, and
// sometimes the way back to the one before that. The same seed tells the same story.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}
  const std::string& label(std::size_t step);

 private:
  std::mt19937_64 random_;
  std::vector<std::string> labels_;
};

class Trial {
 public:
  // The service has its own rules (each change is an alert, told to a log), is not started yet, and speaks to
  // PostgreSQL and Redis through the wires.
  Trial(EngineKind engine, TrialOptions options);
  ~Trial();

  Service& service() { return service_; }
  TcpProxy& redis_wire() { return *redis_wire_; }
  TcpProxy& postgres_wire() { return *postgres_wire_; }
  std::mt19937_64& random() { return random_; }
  milliseconds some_time(int least_ms, int most_ms);

  // Starts the service and makes the systems; they do not report yet.
  void begin();
  void start_reports();
  // No new reports; those on the way get their answer first. Then also the late ones of `stop_reports`.
  void stop_reports();
  // The systems report, then comes `faults`, and when it is over they still report for a moment. Whatever it
  // breaks, a service that lives answers everybody, and soon.
  void under_load(const std::function<void()>& faults);
  // expect_whole() counts from here.
  void faults_are_over() { over_ = std::chrono::steady_clock::now(); }
  // Under load: waits until somebody was refused from now on; until each has been accepted on the average.
  void expect_refusals();
  void expect_acceptances();
  // Each system reports `steps` times, one after the other, and nobody waits for anything but the 202s.
  void report(std::size_t steps);

  // A process more on the same servers, which only works. `more` settings for this one alone.
  Process& start_worker(const Environment& more = {});
  // The same, but it also takes inventories, where the systems know its door.
  Process& open_second_door();
  // The ports: the service's, and with `two_doors` that of the other one.
  [[nodiscard]] const std::vector<int>& doors() const { return doors_; }

  // kill -9 to the service and all others.
  void kill_all();
  // Starts the service again if it is gone, which only a kill -9 may have done.
  void ensure_running();
  // Nothing is ready, claimed or delayed; how much is.
  [[nodiscard]] bool quiet() { return waiting() == 0; }
  [[nodiscard]] std::size_t waiting();

  // THE ORACLE, part one: call it while no process of Collect runs and the servers do. Each 202'd inventory
  // is in exactly one place of its queue, or has its effects already, and is nowhere twice.
  void expect_nothing_lost();
  // THE ORACLE, part two: call it when the faults are over. Queues, claims and delayed run empty by
  // themselves; then every 202'd inventory is dead with a reason (at most `most_dead` of them) or has its
  // effects exactly once: `stored` or `unchanged` under the record that has its content, one diff for each
  // step from one content to the next, in order, and one alert for each diff.
  void expect_whole(std::size_t most_dead = 0);

  [[nodiscard]] std::size_t accepted() const;

 private:
  struct System {
    Login login;
    Story story;
    std::unique_ptr<Appliance> appliance;  // for report() and for questions
    std::unique_ptr<Reporter> reporter;
    std::vector<std::string> receipts = {};
    std::size_t posts = 0;  // answered or not
  };

  // Of the reporters that report now.
  [[nodiscard]] std::size_t sum(std::size_t (Appliance::*count)() const) const;
  void expect_whole(System& system, const std::map<std::int64_t, int>& alerts, std::size_t& dead);
  // Dead letters that three ends in a row found in hand, of all stages.
  [[nodiscard]] std::size_t condemned();
  // Where each message of the stage `inventory` is: id to places.
  std::map<std::string, std::vector<std::string>> places();
  [[nodiscard]] std::set<std::string> booked();

  std::mt19937_64 random_;
  const TrialOptions options_;
  Service service_;
  std::unique_ptr<TcpProxy> redis_wire_;
  std::unique_ptr<TcpProxy> postgres_wire_;
  std::vector<System> systems_;
  std::optional<std::chrono::steady_clock::time_point> over_;
  std::size_t unanswered_ = 0;  // of all reporters so far
  milliseconds slowest_{0};     // answer to one of them
  std::vector<int> doors_;
  std::vector<std::unique_ptr<Process>> workers_;
};

}  // namespace collect::test
