// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments under load: nothing that got its 202 is lost, nothing happens twice.
// COLLECT_TEST_KILLS says how often (50).
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <set>

#include "journey/reporter.h"
#include "support/seed.h"

namespace collect::test {
namespace {

constexpr std::size_t kSystems = 10;
constexpr milliseconds kMostPause{60};

std::string label(std::size_t step) {
  return "step " + std::to_string(step);
}

class Kills : public OnEachEngine {
 protected:
  // All that was accepted: stored as a record, once; each change told, once, in order.
  void check(Reporter& reporter) {
    Appliance& appliance = reporter.appliance();
    const auto& receipts = reporter.receipts();
    const std::string& key = appliance.login().key;
    ASSERT_EQ(reporter.problem(), "") << key;
    appliance.wait_processed(receipts, std::chrono::minutes(5));
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
  std::vector<std::unique_ptr<Reporter>> reporters;
  std::vector<Login> logins;
  for (std::size_t i = 0; i < kSystems; ++i)
    logins.push_back(service_.new_system("Box " + std::to_string(i)));
  const auto body = [](std::size_t step) { return labelled_inventory(label(step), 2000 + step % 2); };
  for (const Login& login : logins)
    reporters.push_back(std::make_unique<Reporter>(service_, login, random(), body, kMostPause));
  const int kills = number_given("COLLECT_TEST_KILLS", 50);
  for (int kill = 0; kill < kills; ++kill) {
    sleep_for(milliseconds(std::uniform_int_distribution<int>(100, 700)(random)));
    if (kill % 2 == 0) {
      service_.kill_hard();
    } else {
      service_.kill_without_condemning();
    }
    service_.start();
  }
  std::size_t accepted = 0;
  for (const auto& reporter : reporters) reporter->finish();
  for (const auto& reporter : reporters) accepted += reporter->receipts().size();
  std::cout << accepted << " inventories were accepted over " << kills << " kills\n";
  EXPECT_GT(accepted, kSystems * 2);

  // Thousands wait by now, and a busy machine works off a hundred a second.
  EXPECT_TRUE(eventually([&] { return service_.queues_empty(); }, std::chrono::minutes(15)));
  for (const auto& reporter : reporters) check(*reporter);
  EXPECT_EQ(service_.dead_letters(), 0U);
}

}  // namespace
}  // namespace collect::test
