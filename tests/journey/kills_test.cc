// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments under load: nothing that got its 202 is lost, nothing happens twice.
// COLLECT_TEST_KILLS says how often (50).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <thread>

#include "journey/appliance.h"

namespace collect::test {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kSystems = 10;
constexpr auto kPatience = std::chrono::minutes(5);

int kills() {
  const char* given = std::getenv("COLLECT_TEST_KILLS");
  return given != nullptr ? std::atoi(given) : 50;
}

std::string label(std::size_t step) {
  return "step " + std::to_string(step);
}

// Reports one step after the other, each until it is accepted, and keeps the receipts.
class Sender {
 public:
  Sender(const Service& service, Login login, std::uint64_t seed)
      : appliance_(service, std::move(login)),
        random_(seed),
        thread_([this](const std::stop_token& stop) { work(stop); }) {}

  void finish() {
    thread_.request_stop();
    thread_.join();
  }
  // What went wrong, or "".
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] const std::vector<std::string>& receipts() const { return receipts_; }
  Appliance& appliance() { return appliance_; }

 private:
  void work(const std::stop_token& stop) try {
    const auto give_up = steady_clock::now() + kPatience;
    while (!stop.stop_requested()) {
      const std::string body = labelled_inventory(label(receipts_.size()), 2000 + receipts_.size() % 2);
      receipts_.push_back(appliance_.insist(body, give_up));
      sleep_for(milliseconds(std::uniform_int_distribution<int>(0, 60)(random_)));
    }
  } catch (const std::exception& error) {
    problem_ = error.what();
  }

  Appliance appliance_;
  std::mt19937_64 random_;
  std::vector<std::string> receipts_;
  std::string problem_;
  std::jthread thread_;  // last: it uses the others
};

class Kills : public OnEachEngine {
 protected:
  // All that was accepted: stored as a record, once; each change told, once, in order.
  void check(Sender& sender) {
    Appliance& appliance = sender.appliance();
    const auto& receipts = sender.receipts();
    const std::string& key = appliance.login().key;
    ASSERT_EQ(sender.problem(), "") << key;
    appliance.wait_processed(receipts, std::chrono::minutes(1));
    std::set<std::string> records;
    for (const std::string& id : receipts) {
      const ReceiptState state = appliance.receipt(id);
      EXPECT_TRUE(state.status == "stored" || state.status == "unchanged")
          << key << " " << state.status << state.reason;
      records.insert(state.record_id);
    }
    EXPECT_EQ(records.size(), receipts.size()) << key << ": each body is another record";
    EXPECT_EQ(service_.history(appliance.login()).size(), receipts.size()) << key;

    std::vector<DiffRow> changes;
    for (const DiffRow& diff : service_.diffs(appliance.login())) {
      if (diff.path == "facts.label") changes.push_back(diff);
    }
    ASSERT_EQ(changes.size() + 1, receipts.size()) << key;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      EXPECT_EQ(changes[i].from, "\"" + label(i) + "\"") << key;
      EXPECT_EQ(changes[i].to, "\"" + label(i + 1) + "\"") << key;
    }
  }

  Service service_{GetParam()};
};
COLLECT_ON_EACH_ENGINE(Kills);

TEST_P(Kills, LoseNothingAndDoubleNothing) {
  std::mt19937_64 random(test_seed());
  service_.start();
  std::vector<std::unique_ptr<Sender>> senders;
  std::vector<Login> logins;
  for (std::size_t i = 0; i < kSystems; ++i)
    logins.push_back(service_.new_system("Box " + std::to_string(i)));
  for (const Login& login : logins) senders.push_back(std::make_unique<Sender>(service_, login, random()));
  for (int kill = 0; kill < kills(); ++kill) {
    sleep_for(milliseconds(std::uniform_int_distribution<int>(100, 700)(random)));
    service_.kill_hard();
    service_.start();
  }
  std::size_t accepted = 0;
  for (const auto& sender : senders) sender->finish();
  for (const auto& sender : senders) accepted += sender->receipts().size();
  std::cout << accepted << " inventories were accepted over " << kills() << " kills\n";
  EXPECT_GT(accepted, kSystems * 2);

  EXPECT_TRUE(eventually([&] { return service_.queues_empty(); }, std::chrono::minutes(1)));
  for (const auto& sender : senders) check(*sender);
  EXPECT_EQ(service_.dead_letters(), 0U);
}

}  // namespace
}  // namespace collect::test
