// SPDX-License-Identifier: Apache-2.0
// backups::Ledger.
#include <atomic>
#include <thread>

#include "backups/backup_monitor.h"
#include "contract/store_contract.h"

namespace collect::test {
namespace {

using backups::Reservation;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class BackupsContract : public StoreContract {
 protected:
  static Reservation room(const std::string& name, std::string_view system, std::uint64_t size = 10,
                          const std::string& organization = "org-1") {
    return {organization + "/" + name, OrganizationId(organization), id_of(system), size};
  }
  // As many as fit into `most` bytes; what it was asked with is in asked_.
  Result<bool> reserve(const Reservation& wanted, std::uint64_t most, std::int64_t now, std::int64_t until) {
    return stores_.backups.reserve(
        wanted,
        [&](std::span<const Reservation> others) {
          asked_.assign(others.begin(), others.end());
          std::uint64_t sum = wanted.size;
          for (const Reservation& other : others) sum += other.size;
          return sum <= most;
        },
        at(now), at(until));
  }
  bool reserved(const Reservation& wanted, std::uint64_t most, std::int64_t now, std::int64_t until) {
    const auto done = reserve(wanted, most, now, until);
    EXPECT_TRUE(succeeded(done));
    return done.ok() && *done;
  }
  bool turn(const Reservation& mine, std::int64_t now, std::int64_t until) {
    const auto done = stores_.backups.take_turn(mine, at(now), at(until));
    EXPECT_TRUE(succeeded(done));
    return done.ok() && *done;
  }
  void settle(const Reservation& mine, std::int64_t uploaded, std::int64_t expected, std::int64_t until) {
    EXPECT_TRUE(succeeded(stores_.backups.settle(mine, at(uploaded), at(expected), at(until))));
  }
  void forget(const Reservation& mine) {
    EXPECT_TRUE(succeeded(stores_.backups.forget(std::vector{mine.key})));
  }
  std::vector<Reservation> standing(std::int64_t now, const std::string& organization = "org-1") {
    EXPECT_FALSE(reserved(room("look", "x", 1'000'000, organization), 0, now, now + 1));
    return asked_;
  }

  std::vector<Reservation> asked_;
};
INSTANTIATE_TEST_SUITE_P(Engines, BackupsContract, testing::ValuesIn(store_engines()), engine_name);

TEST_P(BackupsContract, RoomIsReservedWhileItFits) {
  const auto one = room("1", "a");
  const auto two = room("2", "b");
  EXPECT_TRUE(reserved(one, 25, 0, 60));
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_TRUE(reserved(two, 25, 1, 60));
  EXPECT_THAT(asked_, ElementsAre(one));
  EXPECT_FALSE(reserved(room("3", "c"), 25, 2, 60));
  EXPECT_THAT(standing(3), UnorderedElementsAre(one, two));
  // Others' quotas are others'.
  EXPECT_THAT(standing(3, "org-2"), IsEmpty());
  forget(one);
  EXPECT_THAT(standing(4), ElementsAre(two));
  EXPECT_TRUE(reserved(room("3", "c"), 25, 5, 60));
}

TEST_P(BackupsContract, SizesAreExact) {
  const auto huge = room("1", "a", 5'000'000'000'000);
  EXPECT_TRUE(reserved(huge, 6'000'000'000'000, 0, 60));
  EXPECT_THAT(standing(1), ElementsAre(huge));
}

TEST_P(BackupsContract, ReservationsLapseUnlessTheyAreRenewed) {
  const auto one = room("1", "a");
  const auto two = room("2", "b");
  EXPECT_TRUE(reserved(one, 100, 0, 60));
  EXPECT_TRUE(reserved(two, 100, 0, 60));
  EXPECT_TRUE(succeeded(stores_.backups.renew(std::vector<std::string>{one.key, "org-1/gone"}, at(120))));
  EXPECT_THAT(standing(60), UnorderedElementsAre(one, two));
  EXPECT_THAT(standing(61), ElementsAre(one));
  EXPECT_THAT(standing(121), IsEmpty());
  // Long after that the rows go as well.
  EXPECT_THAT(standing(100'000), IsEmpty());
  EXPECT_TRUE(reserved(room("3", "c"), 100, 100'000, 100'060));
  EXPECT_EQ(sql("select count(*) from backup_reservations"), "1\n");
  EXPECT_TRUE(succeeded(stores_.backups.renew({}, at(120))));
  EXPECT_TRUE(succeeded(stores_.backups.forget({})));
}

TEST_P(BackupsContract, UploadsOfOneSystemEndOneAfterTheOther) {
  const auto one = room("1", "a");
  const auto two = room("2", "a");
  const auto other = room("3", "b");
  for (const auto& each : {one, two, other}) ASSERT_TRUE(reserved(each, 100, 0, 60));
  EXPECT_TRUE(turn(one, 1, 60));
  EXPECT_TRUE(turn(one, 1, 60));
  EXPECT_FALSE(turn(two, 1, 60));
  EXPECT_TRUE(turn(other, 1, 60));
  settle(one, 1, 1000, 300);
  EXPECT_TRUE(turn(two, 2, 60));
  // Settled ones are no longer in anybody's way, but still count, until then and no longer.
  EXPECT_THAT(standing(3), UnorderedElementsAre(one, two, other));
  EXPECT_TRUE(succeeded(stores_.backups.renew(std::vector{one.key, two.key, other.key}, at(900))));
  EXPECT_THAT(standing(301), UnorderedElementsAre(two, other));
}

TEST_P(BackupsContract, ATurnLapsesAndIsTakenOver) {
  const auto one = room("1", "a");
  const auto two = room("2", "a");
  ASSERT_TRUE(reserved(one, 100, 0, 60));
  EXPECT_TRUE(turn(one, 1, 60));
  // Never reserved, or lapsed and swept away: its bytes are there all the same.
  EXPECT_FALSE(turn(two, 60, 120));
  EXPECT_TRUE(turn(two, 61, 120));
  EXPECT_THAT(standing(62), ElementsAre(two));
  forget(two);
  EXPECT_TRUE(turn(one, 63, 120));
}

TEST_P(BackupsContract, ManyAtOnceNeverGetMoreThanFits) {
  std::atomic<int> granted{0};
  std::atomic<int> ending{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&, i] {
      const auto mine = room(std::to_string(i), "a");
      const auto fits = [&](std::span<const Reservation> others) { return others.size() < 7; };
      const auto done = stores_.backups.reserve(mine, fits, at(0), at(60));
      EXPECT_TRUE(succeeded(done));
      if (done && *done) ++granted;
      const auto ours = stores_.backups.take_turn(mine, at(0), at(60));
      EXPECT_TRUE(succeeded(ours));
      if (ours && *ours) ++ending;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 7);
  EXPECT_EQ(ending, 1);
}

// The monitor over the real thing: what is overdue is told once and is over with the next backup.
TEST_P(BackupsContract, SystemsThatAreOverdueAreTold) {
  add_systems({"a", "b", "c"});
  const auto rules = alerts::NotificationRules::load("", "test").value();
  backups::BackupMonitor monitor(stores_.backups, stores_.systems, stores_.alerts, [&] { return rules; });
  const auto run = [&](std::int64_t seconds) {
    const auto news = monitor.run(at(seconds));
    EXPECT_TRUE(succeeded(news));
    return news.ok() && *news;
  };
  const auto open = [&] {
    std::vector<std::string> systems;
    for (const auto& each : *stores_.alerts.list({.alert_type = "backup_overdue", .resolved = false})) {
      systems.push_back(each.system_key);
    }
    return systems;
  };
  settle(room("a1", "a"), 10, 100, 300);
  settle(room("b1", "b"), 10, 100, 300);
  settle(room("c1", "c"), 10, 1000, 300);
  EXPECT_FALSE(run(100));
  systems::SystemChange suspension;
  suspension.suspension = systems::SystemChange::Suspension::suspend;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("b"), suspension, at(11))));
  EXPECT_TRUE(run(101));
  EXPECT_THAT(open(), ElementsAre("NETH-a"));
  EXPECT_FALSE(run(102)) << "once";
  const auto listed = stores_.alerts.list({});
  EXPECT_THAT(listed->front().alert.message, testing::HasSubstr("has made no backup since"));
  EXPECT_EQ(listed->front().alert.severity, diff::Severity::high);

  suspension.suspension = systems::SystemChange::Suspension::lift;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("b"), suspension, at(12))));
  settle(room("a2", "a"), 110, 1000, 300);
  EXPECT_TRUE(run(111));
  EXPECT_THAT(open(), ElementsAre("NETH-b"));
  suspension.suspension = systems::SystemChange::Suspension::suspend;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("b"), suspension, at(112))));
  EXPECT_TRUE(run(113));
  EXPECT_THAT(open(), IsEmpty());
  EXPECT_FALSE(run(114));
}

TEST_P(BackupsContract, BackupsThatDoNotHoldAreTold) {
  add_systems({"a", "b"});
  const auto rules = alerts::NotificationRules::load("", "test").value();
  const auto report = [&](std::string_view word, const std::vector<std::string>& corrupt) {
    EXPECT_TRUE(succeeded(backups::report_verified(stores_.alerts, rules, find(word), corrupt, at(10))));
    return stores_.alerts.list({.alert_type = "backup_corrupt", .resolved = false}).value();
  };
  EXPECT_THAT(report("a", {}), IsEmpty());
  const auto told = report("a", {"one.gpg", "two.gpg"});
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0].alert.message, testing::HasSubstr("one.gpg, two.gpg"));
  EXPECT_EQ(told[0].alert.severity, diff::Severity::critical);
  EXPECT_EQ(report("a", {"one.gpg"}).size(), 1U);
  EXPECT_EQ(report("b", {}).size(), 1U);
  EXPECT_THAT(report("a", {}), IsEmpty());
}

TEST_P(BackupsContract, TheNextBackupIsExpected) {
  add_systems({"a", "b", "c"});
  for (const char* word : {"a", "b", "c", "gone"}) settle(room(word, word), 10, 100, 300);
  settle(room("a2", "a"), 50, 500, 300);
  settle(room("b0", "b"), 5, 700, 300);  // began earlier, ended later: nothing changes
  systems::SystemChange removal;
  removal.remove = true;
  ASSERT_TRUE(succeeded(stores_.systems.change(id_of("c"), removal, at(11))));

  EXPECT_THAT(*stores_.backups.overdue(at(100)), IsEmpty());
  auto late = stores_.backups.overdue(at(101));
  ASSERT_TRUE(succeeded(late));
  ASSERT_EQ(late->size(), 1U);
  EXPECT_EQ(late->front().system_id, id_of("b"));
  EXPECT_EQ(late->front().last_backup, at(10));
  EXPECT_EQ(late->front().expected_by, at(100));
  EXPECT_EQ(stores_.backups.overdue(at(501))->size(), 2U);
}

}  // namespace
}  // namespace collect::test
