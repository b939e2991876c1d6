// SPDX-License-Identifier: Apache-2.0
#include "backups/pruning.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backups/backup.h"

namespace collect::backups {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kStart{std::chrono::milliseconds(1'767'323'045'678)};

ObjectEntry backup(Duration after, std::uint64_t size = 1) {
  return {"org/key/" + BackupId::make("a.gpg", kStart + after).text(), size, {}};
}

TEST(Pruning, KeepsTheNewestByNumber) {
  const std::vector<ObjectEntry> all = {backup(3h), backup(1h), backup(4h), backup(2h)};
  const KeepLimits limits{2, 1000};
  EXPECT_THAT(beyond(limits, all, all[2].key), ElementsAre(all[1].key, all[3].key));
  EXPECT_THAT(beyond({4, 1000}, all, all[2].key), IsEmpty());
  EXPECT_THAT(beyond({1, 1000}, all, all[2].key), ElementsAre(all[1].key, all[3].key, all[0].key));
}

TEST(Pruning, KeepsTheNewestByBytes) {
  const std::vector<ObjectEntry> all = {backup(1h, 10), backup(2h, 40), backup(3h, 30), backup(4h, 50)};
  EXPECT_THAT(beyond({10, 130}, all, all[3].key), IsEmpty());
  EXPECT_THAT(beyond({10, 129}, all, all[3].key), ElementsAre(all[0].key));
  // The one of 40 does not fit, and the older one of 10 must not outlive it.
  EXPECT_THAT(beyond({10, 119}, all, all[3].key), ElementsAre(all[0].key, all[1].key));
  EXPECT_THAT(beyond({10, 1}, all, all[3].key), ElementsAre(all[0].key, all[1].key, all[2].key));
}

TEST(Pruning, NeverTakesTheNewOne) {
  // Another upload that began later was whole first.
  const std::vector<ObjectEntry> all = {backup(1h, 10), backup(2h, 10)};
  EXPECT_THAT(beyond({1, 1000}, all, all[0].key), ElementsAre(all[1].key));
  EXPECT_THAT(beyond({2, 15}, all, all[0].key), ElementsAre(all[1].key));
  // It was deleted meanwhile: what is left is judged without it.
  EXPECT_THAT(beyond({2, 1000}, all, "org/key/gone"), ElementsAre(all[0].key));
}

TEST(Pruning, LeavesAloneWhatIsNoBackup) {
  const std::vector<ObjectEntry> all = {{"org/key/notes.txt", 5000, {}}, backup(1h), backup(2h)};
  EXPECT_THAT(beyond({1, 10}, all, all[2].key), ElementsAre(all[1].key));
}

TEST(Expected, LearnsFromThePauses) {
  const auto after = [](const std::vector<ObjectEntry>& all) { return expected_by(all) - kStart; };
  const auto nightly = std::vector{backup(0h), backup(24h), backup(49h)};
  EXPECT_EQ(after(nightly), 49h + 50h);
  const auto weekly = std::vector{backup(336h), backup(0h), backup(168h)};
  EXPECT_EQ(after(weekly), 336h + 336h);
  // Some by hand in a row do not make the next one due in an hour.
  EXPECT_EQ(after({backup(0h), backup(1h), backup(2h)}), 2h + 36h);
  EXPECT_EQ(after({backup(0h), backup(168h), backup(169h), backup(170h)}), 170h + 336h);
  EXPECT_EQ(after({backup(0h)}), 192h);
  EXPECT_EQ(after({backup(0h), backup(24h)}), 24h + 192h);
}

}  // namespace
}  // namespace collect::backups
