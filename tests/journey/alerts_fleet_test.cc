// SPDX-License-Identifier: Apache-2.0
// The alerts of a generated fleet, against another reading of the same rules: that of this file, over what
// the generator says changed. COLLECT_FLEET says how many systems and reports (20x12), COLLECT_TEST_SEED
// which.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <regex>
#include <tuple>

#include "journey/alerts_seen.h"
#include "journey/appliance.h"
#include "support/source_dir.h"

namespace collect::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

const fs::path kSamples = fs::path(COLLECT_SOURCE_DIR) / ".." / "shared" / "samples";
constexpr int kSenders = 4;

// The rules, as Collect reads them. expected_rules() below says the same in another way.
constexpr const char* kRules = R"(categories:
  - { category: nodes, paths: ['^facts\.nodes(\.|$)'] }
  - { category: modules, paths: ['^facts\.modules(\.|$)'] }
  - { category: cluster, paths: ['^facts\.cluster(\.|$)'] }
severity:
  high:
    - { change_type: delete, paths: ['^facts\.nodes\.[^.]+$', '^facts\.modules\.[^.]+$'] }
    - { paths: ['\.kernel_version$'] }
  default: low
notifications:
  default_channels: []
  pattern: { enabled: false }
  rules:
    - name: not_of_interest
      match: { path: '^facts\.cluster\.(ui_name|update_schedule_active)$' }
      stop: true
    - alert_type: second_lost_something
      match: { organization: Second Ltd, change_type: delete }
    - alert_type: gone
      match: { change_type: delete, path: ['^facts\.nodes\.[^.]+$', '^facts\.modules\.(?P<module>[^.]+)$'] }
      stop: true
    - alert_type: version
      match: { change_type: update, path: '\.VERSION$' }
    - alert_type: severe
      match: { min_severity: high }
    - alert_type: firewall
      match: { system_type: nsec, change_type: [create, update] }
    - alert_type: users
      match: { category: cluster, path: 'user_domains' }
      stop: true
    - alert_type: nodes_and_cluster
      match: { category: [nodes, cluster] }
)";

struct Member {
  Login login;
  bool firewall = false;
  bool second = false;
  std::vector<DiffRow> diffs = {};
};

bool ends_with_key(const std::string& path, const std::string& key) {
  return path.size() > key.size() && path.substr(path.size() - key.size() - 1) == "." + key;
}
// A node or a module itself.
bool is_whole(const std::string& path) {
  static const std::regex form("facts\\.(nodes|modules)\\.[^.]+");
  return std::regex_match(path, form);
}

std::vector<std::string> expected_rules(const Member& member, const std::string& path,
                                        const std::string& type) {
  const bool of_cluster = path == "facts.cluster" || path.starts_with("facts.cluster.");
  const bool of_nodes = path == "facts.nodes" || path.starts_with("facts.nodes.");
  std::vector<std::string> rules;
  if (path == "facts.cluster.ui_name" || path == "facts.cluster.update_schedule_active") return rules;
  if (member.second && type == "delete") rules.emplace_back("second_lost_something");
  if (is_whole(path) && type == "delete") {
    rules.emplace_back("gone");
    return rules;
  }
  if (type == "update" && ends_with_key(path, "version")) rules.emplace_back("version");
  if (ends_with_key(path, "kernel_version")) rules.emplace_back("severe");
  if (member.firewall && type != "delete") rules.emplace_back("firewall");
  if (of_cluster && path.find("user_domains") != std::string::npos) {
    rules.emplace_back("users");
    return rules;
  }
  if (of_cluster || of_nodes) rules.emplace_back("nodes_and_cluster");
  return rules;
}

// Rule, system_key, path, change type.
using Row = std::tuple<std::string, std::string, std::string, std::string>;
using Rows = std::map<Row, std::size_t>;

std::string described(const Row& row) {
  return std::get<0>(row) + " " + std::get<1>(row) + " " + std::get<2>(row) + " " + std::get<3>(row);
}

void add_rows(Rows& rows, const Member& member, const std::string& path, const std::string& type) {
  for (const std::string& rule : expected_rules(member, path, type))
    ++rows[{rule, member.login.key, path, type}];
}

class Fleet : public OnEachEngine {
 protected:
  Fleet() {
    if (const char* given = std::getenv("COLLECT_FLEET")) {
      char* end = nullptr;
      systems_ = std::strtoul(given, &end, 10);
      steps_ = std::strtoul(end + 1, nullptr, 10);
    }
    if (const char* given = std::getenv("COLLECT_TEST_SEED")) first_seed_ = std::strtoul(given, nullptr, 10);
    std::cout << "COLLECT_FLEET=" << systems_ << "x" << steps_ << " COLLECT_TEST_SEED=" << first_seed_
              << '\n';
    write_text(service_.folder() / "config.yml", kRules);
    service_.start();
    second_ = text_of(parsed(service_.cli_output({"org", "create", "--name", "Second Ltd", "--json"})).root(),
                      "id");
    for (std::size_t i = 0; i < systems_; ++i) members_.push_back(new_member(i));
  }
  Member new_member(std::size_t index) {
    const std::string name = "Box " + std::to_string(index);
    Member member{{}, index % 3 == 2, index % 4 == 1, {}};
    if (!member.second) {
      member.login = service_.new_system(name);
      return member;
    }
    const auto made =
        parsed(service_.cli_output({"system", "create", "--org", second_, "--name", name, "--json"}));
    member.login = {text_of(made.root(), "id"), text_of(made.root(), "system_key"),
                    text_of(made.root(), "system_secret")};
    return member;
  }

  // What its files' names begin with. The generator contradicts itself for some seeds: another one then.
  std::string generate(const fs::path& folder, const std::string& kind, std::uint64_t seed) {
    std::string reason;
    for (int tries = 0; tries < 5; ++tries, seed += 100'000) {
      const auto made = run({.command = {"python3", kSamples / "gen_inventory.py", "--kind", kind, "--seed",
                                         std::to_string(seed), "--steps", std::to_string(steps_),
                                         "--change-rate", "0.7", "--out", folder}});
      if (made.exit_code == 0) return kind + "-" + std::to_string(seed);
      reason = made.err;
    }
    throw std::runtime_error("gen_inventory.py: " + reason);
  }

  // Generates, posts and reads the expectations of one system after the other.
  void send_some() {
    for (std::size_t index = 0; (index = next_++) < members_.size();) send(index);
  }
  void send(std::size_t index) {
    const Member& member = members_[index];
    const std::string kind = member.firewall ? "nsec" : "ns8";
    const TempDir folder;
    const std::string series = generate(folder.path(), kind, first_seed_ + index);
    Appliance box(service_, member.login);
    std::vector<std::string> receipts;
    for (std::size_t step = 0; step <= steps_; ++step) {
      const std::string stem = folder.path() / (series + "-" + std::to_string(step));
      receipts.push_back(
          box.insist(read_text(stem + ".json"), steady_clock::now() + std::chrono::minutes(1)));
      if (step > 0)
        expect(member, *parsed(read_text(stem + ".expected.json")).root().find("changes"),
               *parsed(read_text(stem + ".expected.json")).root().find("may_report"));
    }
    box.wait_processed(receipts, std::chrono::minutes(10));
  }
  void expect(const Member& member, const json::Value& changes, const json::Value& may) {
    const std::lock_guard lock(mutex_);
    changes_ += changes.elements.size();
    for (const json::Value& change : changes.elements)
      add_rows(expected_, member, text_of(change, "path"), text_of(change, "type"));
    for (const json::Value& change : may.elements)
      add_rows(allowed_, member, text_of(change, "path"), text_of(change, "type"));
  }

  // The alerts, by what their diffs tell; and each stored diff has those that its own path and type ask for.
  Rows alerts() {
    std::map<std::pair<std::string, std::int64_t>, std::set<std::string>> by_diff;
    std::size_t count = 0;
    for (const AlertRow& alert : listed_alerts(service_)) {
      const std::pair of(alert.system_key, alert.diff_id.value_or(0));
      EXPECT_TRUE(by_diff[of].insert(alert.rule).second) << "twice: " << alert.rule << " " << alert.path;
      ++count;
    }
    Rows rows;
    for (const Member& member : members_) {
      for (const DiffRow& diff : member.diffs) {
        const auto rules = expected_rules(member, diff.path, diff.type);
        EXPECT_EQ((by_diff[{member.login.key, diff.id}]), std::set<std::string>(rules.begin(), rules.end()))
            << member.login.key << " " << diff.type << " " << diff.path;
        for (const std::string& rule : by_diff[{member.login.key, diff.id}]) {
          ++rows[{rule, member.login.key, diff.path, diff.type}];
          --count;
        }
      }
    }
    EXPECT_EQ(count, 0U) << "alerts of no diff";
    return rows;
  }

  Service service_{GetParam()};
  std::size_t systems_ = 20;
  std::size_t steps_ = 12;
  std::uint64_t first_seed_ = 4001;
  std::string second_;
  std::vector<Member> members_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  Rows expected_;  // guarded by mutex_, as the next two
  Rows allowed_;   // of changes that may be told or not
  std::size_t changes_ = 0;
};
COLLECT_ON_EACH_ENGINE(Fleet);

TEST_P(Fleet, HasTheAlertsThatAnotherReadingOfTheRulesExpects) {
  const auto begin = steady_clock::now();
  std::vector<std::future<void>> senders;
  for (int i = 0; i < kSenders; ++i)
    senders.push_back(std::async(std::launch::async, [this] { send_some(); }));
  for (auto& sender : senders) sender.get();
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  std::size_t diffs = 0;
  for (Member& member : members_) {
    member.diffs = service_.diffs(member.login);
    diffs += member.diffs.size();
  }
  ASSERT_TRUE(wait_notified(service_, diffs, std::chrono::minutes(5)));
  const Rows found = alerts();
  std::set<std::string> rules;
  std::size_t total = 0;
  for (const auto& [row, count] : found) {
    const std::size_t expected = expected_.contains(row) ? expected_.at(row) : 0;
    const std::size_t allowed = allowed_.contains(row) ? allowed_.at(row) : 0;
    EXPECT_GE(count, expected) << described(row);
    EXPECT_LE(count, expected + allowed) << described(row);
    rules.insert(std::get<0>(row));
    total += count;
  }
  for (const auto& [row, count] : expected_) EXPECT_TRUE(found.contains(row)) << described(row);
  EXPECT_EQ(rules.size(), 7U) << "each rule has to have had something to do";
  EXPECT_EQ(service_.dead_letters(), 0U);

  const double busy = service_.metric("collect_worker_busy_seconds_total", {"worker=\"notification"});
  std::cout << changes_ << " expected changes, " << total << " alerts, " << took.count()
            << " s from the first report to the last one's changes; the notification stage was busy for "
            << busy << " s: " << static_cast<double>(total) / busy << " alerts per second of work\n";
}

}  // namespace
}  // namespace collect::test
