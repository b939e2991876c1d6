// SPDX-License-Identifier: Apache-2.0
#include "faults/trial.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "support/seed.h"

namespace collect::test {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

// kRecovery: from the end of the faults, for leases of hung workers, pauses between tries, the sweep and a
// slow machine. kEach: beside that, for each message that waits then. kSlowest: an answer while whatever is
// broken; a server that says nothing is given up after some seconds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto kRecovery = 3min;
constexpr auto kEach = 100ms;
constexpr auto kSlowest = 60s;
#else
constexpr auto kRecovery = 1min;
constexpr auto kEach = 20ms;
constexpr auto kSlowest = 20s;
#endif
constexpr auto kPatience = 5min;  // for one body

const std::string kRules =
    "notifications:\n  channels:\n    quiet: { type: log }\n  default_channels: [quiet]\n"
    "  pattern: { enabled: false }\n  rules:\n    - alert_type: any_change\n";

std::string in_quotes(const std::string& label) {
  return "\"" + label + "\"";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::string with_port(const std::string& url, int from, int to) {
  const std::string before = ":" + std::to_string(from);
  const auto at = url.find(before);
  if (at == std::string::npos) throw std::runtime_error("no port " + before + " in " + url);
  return std::string(url).replace(at, before.size(), ":" + std::to_string(to));
}

}  // namespace

std::filesystem::path crashing_collect() {
  return COLLECT_CRASHING;
}

std::uint64_t trial_seed() {
  setenv("COLLECT_TEST_SEED", "1", 0);
  return test_seed();
}

const std::string& Story::label(std::size_t step) {
  while (labels_.size() <= step) {
    const std::size_t next = labels_.size();
    const auto chance = std::uniform_int_distribution<int>(0, 9)(random_);
    if (next >= 1 && chance == 0) {
      labels_.push_back(labels_[next - 1]);
    } else if (next >= 2 && chance == 1) {
      labels_.push_back(labels_[next - 2]);
    } else {
      labels_.push_back("step " + std::to_string(next));
    }
  }
  return labels_[step];
}

Trial::Trial(EngineKind engine, TrialOptions options)
    : random_(options.seed),
      options_(std::move(options)),
      service_(engine, options_.settings, options_.servers) {
  doors_ = {service_.port()};
  if (options_.two_doors) doors_.push_back(free_port());
  service_.use_program(options_.program);
  write_text(service_.folder() / "config.yml", kRules);
  if (engine == EngineKind::embedded) return;
  redis_wire_ = std::make_unique<TcpProxy>(service_.redis().port());
  postgres_wire_ = std::make_unique<TcpProxy>(service_.postgres().port());
  Environment& settings = service_.settings();
  settings["REDIS_URL"] = with_port(settings["REDIS_URL"], service_.redis().port(), redis_wire_->port());
  settings["DATABASE_URL"] =
      with_port(settings["DATABASE_URL"], service_.postgres().port(), postgres_wire_->port());
}

Trial::~Trial() {
  for (const auto& worker : workers_) {
    expect_no_crash(*worker);
    if (testing::Test::HasFailure()) std::cerr << "---- a worker's log ----\n" << worker->err() << "----\n";
  }
}

milliseconds Trial::some_time(int least_ms, int most_ms) {
  return milliseconds(std::uniform_int_distribution<int>(least_ms, most_ms)(random_));
}

void Trial::begin() {
  service_.start();
  for (std::size_t i = 0; i < options_.systems; ++i) {
    const Login login = service_.new_system("Box " + std::to_string(i));
    systems_.push_back({login, Story(random_()), std::make_unique<Appliance>(service_, login), nullptr});
  }
}

void Trial::start_reports() {
  for (System& system : systems_) {
    const std::size_t first = system.receipts.size();
    const auto body = [&system, first](std::size_t step) {
      return labelled_inventory(system.story.label(first + step), 2000);
    };
    system.reporter =
        std::make_unique<Reporter>(service_, system.login, random_(), body, options_.most_pause, doors_);
  }
}

void Trial::stop_reports() {
  for (System& system : systems_) {
    if (system.reporter) system.reporter->finish();
  }
  for (System& system : systems_) {
    if (!system.reporter) continue;
    EXPECT_EQ(system.reporter->problem(), "") << system.login.key;
    const auto& receipts = system.reporter->receipts();
    system.receipts.insert(system.receipts.end(), receipts.begin(), receipts.end());
    system.posts += system.reporter->appliance().posts();
    unanswered_ += system.reporter->appliance().unanswered();
    slowest_ = std::max(slowest_, system.reporter->appliance().slowest());
    system.reporter.reset();
  }
}

void Trial::under_load(const std::function<void()>& faults) {
  start_reports();
  expect_acceptances();
  faults();
  faults_are_over();
  expect_acceptances();
  stop_reports();
  EXPECT_TRUE(service_.running()) << "it ended by itself";
  if (service_.signalled() || service_.starts() > 1 || options_.two_doors) return;
  EXPECT_EQ(unanswered_, 0U) << "posts without an answer";
  EXPECT_LT(slowest_, kSlowest) << "the slowest answer";
}

std::size_t Trial::sum(std::size_t (Appliance::*count)() const) const {
  std::size_t sum = 0;
  for (const System& system : systems_) {
    if (system.reporter) sum += (system.reporter->appliance().*count)();
  }
  return sum;
}

void Trial::expect_refusals() {
  const std::size_t before = sum(&Appliance::refused);
  EXPECT_TRUE(eventually([&] { return sum(&Appliance::refused) > before; }, kPatience))
      << "nobody was refused";
}

void Trial::expect_acceptances() {
  const std::size_t enough = sum(&Appliance::accepted) + systems_.size();
  const auto are_accepted = [&] {
    if (options_.restarts) ensure_running();
    return sum(&Appliance::accepted) >= enough;
  };
  EXPECT_TRUE(eventually(are_accepted, kRecovery)) << "nobody is accepted";
}

void Trial::report(std::size_t steps) {
  for (std::size_t step = 0; step < steps; ++step) {
    for (System& system : systems_) {
      const std::string body = labelled_inventory(system.story.label(system.receipts.size()), 2000);
      const auto give_up = steady_clock::now() + kPatience;
      for (bool taken = false; !taken;) {
        if (steady_clock::now() > give_up) throw std::runtime_error("an inventory was not accepted in time");
        try {
          ++system.posts;
          const auto answer = system.appliance->post(body);
          taken = answer.status == 202;
          if (taken) {
            system.receipts.push_back(text_of(*parsed(answer.body).root().find("data"), "receipt"));
          } else if (answer.status == 503) {
            EXPECT_NE(answer.header("Retry-After"), "");
            sleep_for(20ms);
          } else {
            throw std::logic_error("expected 202 or 503, got " + std::to_string(answer.status) + answer.body);
          }
        } catch (const std::runtime_error&) {
          system.appliance->http().close();
          ensure_running();
        }
      }
    }
  }
}

Process& Trial::start_worker(const Environment& more) {
  const Environment before = service_.settings();
  for (const auto& [name, value] : more) service_.settings()[name] = value;
  auto worker = service_.launch({"serve", "--role", "worker"});
  service_.settings() = before;
  // One that is told where to die may come there before it has said that it is up.
  const auto died = [&] {
    return more.contains("COLLECT_CRASH_AT") && worker->wait_exit(0ms) == 128 + SIGKILL;
  };
  if (!worker->wait_for_output("engine", 60s) && !died())
    throw std::runtime_error("a worker does not start: " + worker->err());
  workers_.push_back(std::move(worker));
  return *workers_.back();
}

Process& Trial::open_second_door() {
  const Environment before = service_.settings();
  service_.settings()["LISTEN_ADDRESS"] = "127.0.0.1:" + std::to_string(doors_.at(1));
  workers_.push_back(service_.launch({"serve"}));
  service_.settings() = before;
  if (!workers_.back()->wait_for_http(doors_.at(1), "/api/health/live", 60s))
    throw std::runtime_error("the second door does not open: " + workers_.back()->err());
  return *workers_.back();
}

void Trial::kill_all() {
  service_.kill_hard();
  for (const auto& worker : workers_) {
    expect_no_crash(*worker);
    worker->kill_hard();
  }
}

void Trial::ensure_running() {
  if (service_.running()) return;
  if (const auto code = service_.exit_code()) {
    // One that was told to stop may have been killed over it.
    EXPECT_TRUE(*code == 128 + SIGKILL || (*code == 0 && service_.stopped()))
        << "it ended by itself with " << *code;
  }
  service_.start();
}

// Both engines are asked themselves: what the service says may be some seconds old.
std::size_t Trial::waiting() {
  if (service_.engine() == EngineKind::embedded)
    return std::stoull(service_.sql("SELECT count(*) FROM queue_messages WHERE state <> 'dead'"));
  return std::stoull(service_.redis_cli(
      {"eval",
       "local n = 0 for _, claim in ipairs(redis.call('keys', '*:claim:*')) do "
       "n = n + redis.call('llen', claim) end for i = 1, 3 do "
       "n = n + redis.call('llen', KEYS[i]) + redis.call('zcard', KEYS[i] .. ':delayed') end return n",
       "3", "collect:inventory", "collect:processing", "collect:notifications"}));
}

std::size_t Trial::condemned() {
  const std::string reason = "ended the process, or outlived the lease, too often";
  if (service_.engine() == EngineKind::embedded) {
    return std::stoull(service_.sql(
        "SELECT count(*) FROM queue_messages WHERE state = 'dead' AND CAST(text AS TEXT) LIKE '%" + reason +
        "%'"));
  }
  std::size_t count = 0;
  for (const char* queue : {"collect:inventory", "collect:processing", "collect:notifications"}) {
    const auto letters = lines_of(service_.redis_cli({"lrange", std::string(queue) + ":dead", "0", "-1"}));
    count += static_cast<std::size_t>(std::count_if(letters.begin(), letters.end(), [&](const auto& letter) {
      return letter.find(reason) != std::string::npos;
    }));
  }
  return count;
}

std::size_t Trial::accepted() const {
  std::size_t sum = 0;
  for (const System& system : systems_) sum += system.receipts.size();
  return sum;
}

std::map<std::string, std::vector<std::string>> Trial::places() {
  std::map<std::string, std::vector<std::string>> found;
  const auto note = [&](const std::string& text, const std::string& place) {
    found[text_of(parsed(text).root(), "id")].push_back(place);
  };
  if (service_.engine() == EngineKind::embedded) {
    const auto rows =
        lines_of(service_.sql("SELECT state || '|' || text FROM queue_messages WHERE stage = 'inventory'"));
    for (const std::string& row : rows) note(row.substr(row.find('|') + 1), row.substr(0, row.find('|')));
    return found;
  }
  std::vector<std::string> lists = {"collect:inventory", "collect:inventory:dead"};
  for (const std::string& key : lines_of(service_.redis_cli({"keys", "collect:inventory:claim:*"})))
    lists.push_back(key);
  for (const std::string& key : lists) {
    for (const std::string& text : lines_of(service_.redis_cli({"lrange", key, "0", "-1"}))) note(text, key);
  }
  for (const std::string& text :
       lines_of(service_.redis_cli({"zrange", "collect:inventory:delayed", "0", "-1"})))
    note(text, "delayed");
  return found;
}

// What is dead has no effects: its letter has to be there.
std::set<std::string> Trial::booked() {
  const auto ids =
      lines_of(service_.sql("SELECT message_id FROM processed_messages WHERE outcome <> 'dead'"));
  return {ids.begin(), ids.end()};
}

void Trial::expect_nothing_lost() {
  const auto where = places();
  const auto effects = booked();
  for (const auto& [id, in] : where) {
    EXPECT_EQ(in.size(), 1U) << id << " is in " << testing::PrintToString(in);
    EXPECT_FALSE(in.front().ends_with("dead") && effects.contains(id)) << id << " is dead, and has effects";
  }
  for (const System& system : systems_) {
    for (const std::string& receipt : system.receipts) {
      EXPECT_TRUE(where.contains(receipt) || effects.contains(receipt)) << "lost: " << receipt;
    }
  }
}

void Trial::expect_whole(std::size_t most_dead) {
  ensure_running();
  const auto began = std::exchange(over_, std::nullopt).value_or(steady_clock::now());
  // What gathered in a long outage takes its time.
  const auto patience = kRecovery + kEach * waiting();
  ASSERT_TRUE(eventually([&] { return quiet(); }, patience)) << places().size() << " are left";
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  std::map<std::int64_t, int> alerts;
  // The sweep may have to tell what a process that died did not pass on.
  const auto diffs = std::stoull(service_.sql("SELECT count(*) FROM inventory_diffs"));
  EXPECT_TRUE(eventually(
      [&] { return std::stoull(service_.sql("SELECT count(*) FROM inventory_alerts")) >= diffs; }, patience))
      << diffs << " changes, and not as many alerts";
  for (const AlertRow& alert : listed_alerts(service_, {"--type", "any_change"})) {
    if (alert.diff_id) ++alerts[*alert.diff_id];
  }
  if (service_.engine() == EngineKind::embedded) {
    EXPECT_EQ(service_.sql("PRAGMA integrity_check"), "ok\n");
    EXPECT_EQ(service_.sql("PRAGMA foreign_key_check"), "");
  }
  expect_single_effects(service_);
  expect_nothing_lost();
  std::size_t dead = 0;
  // One for each three ends at most.
  if (options_.condemns) {
    most_dead += std::min(condemned(), static_cast<std::size_t>(service_.starts() - 1) / 3);
  }
  for (System& system : systems_) expect_whole(system, alerts, dead);
  EXPECT_LE(dead, most_dead);
  EXPECT_LE(service_.dead_letters(), most_dead);
  std::cout << accepted() << " accepted, " << diffs << " changes, " << dead << " dead; empty after "
            << took.count() << " ms\n";
}

void Trial::expect_whole(System& system, const std::map<std::int64_t, int>& alerts, std::size_t& dead) {
  const std::string& key = system.login.key;
  const auto diffs = service_.diffs(system.login);
  std::map<std::string, std::string> contents;  // record id to label
  std::vector<std::string> told;                // the labels that the diffs go through
  for (const DiffRow& diff : diffs) {
    EXPECT_EQ(diff.path, "facts.label") << key;
    if (told.empty()) told.push_back(diff.from);
    EXPECT_EQ(diff.from, told.back()) << key << ": the diffs do not follow each other";
    told.push_back(diff.to);
    if (diff.previous_id) contents.emplace(std::to_string(*diff.previous_id), diff.from);
    if (diff.current_id) contents.emplace(std::to_string(*diff.current_id), diff.to);
    const auto alert = alerts.find(diff.id);
    EXPECT_EQ(alert == alerts.end() ? 0 : alert->second, 1) << key << ": alerts of diff " << diff.id;
  }
  std::vector<std::string> expected;
  std::size_t dead_here = 0;
  for (std::size_t step = 0; step < system.receipts.size(); ++step) {
    const std::string label = in_quotes(system.story.label(step));
    const ReceiptState state = system.appliance->receipt(system.receipts[step]);
    if (state.status == "dead") {
      ++dead_here;
      EXPECT_NE(state.reason, "") << key;
      continue;
    }
    EXPECT_TRUE(state.status == "stored" || state.status == "unchanged") << key << " " << state.status;
    EXPECT_TRUE(state.processed) << key;
    if (!diffs.empty()) {
      EXPECT_EQ(contents[state.record_id], label) << key << ", step " << step << " " << state.status;
    }
    if (expected.empty() || expected.back() != label) expected.push_back(label);
  }
  if (expected.size() < 2) expected.clear();  // no change, no diff
  if (dead_here == 0) {
    EXPECT_EQ(told, expected) << key;
  }
  dead += dead_here;
  const auto records = service_.history(system.login);
  // A post that nobody answered may have been taken in, and then came late: a record without effects.
  const std::size_t unanswered = system.posts - system.receipts.size();
  const std::size_t needed = std::max<std::size_t>(told.size(), system.receipts.empty() ? 0 : 1);
  EXPECT_GE(records.size() + dead_here, needed) << key;
  EXPECT_LE(records.size(), needed + unanswered) << key;
  for (const RecordRow& record : records) EXPECT_TRUE(record.processed) << key << " " << record.id;
}

}  // namespace collect::test
