// SPDX-License-Identifier: Apache-2.0
// inventory::HistoryStore and TallyStore: what operators page through and count.
#include <fmt/format.h>

#include "contract/store_contract.h"

namespace collect::test {
namespace {

using inventory::Counts;
using inventory::Date;
using inventory::Day;
using inventory::DayStart;
using inventory::Diff;
using inventory::DiffFilter;
using inventory::RecordDiffs;
using inventory::TimeRange;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr std::int64_t kDay = 24 * 3600;

Date date_at(std::int64_t seconds) {
  return std::chrono::floor<std::chrono::days>(at(seconds));
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.failure().message);
  return std::move(*result);
}

class HistoryContract : public StoreContract {
 protected:
  // A record of "a" at that time with so many changes: their paths are net.<number>, every fourth is critical
  // and of the category "modules", the others are low and "os".
  RecordId changed(std::int64_t seconds, int changes) {
    const auto id =
        store({arrival(fmt::format("m{}", seconds), "a", fmt::format("{{\"n\":{}}}", seconds), seconds)},
              seconds)[0];
    std::vector<diff::Change> made;
    for (int i = 0; i < changes; ++i) {
      made.push_back(change(fmt::format("net.{}", ++last_path_), "1", "2"));
      made.back().severity = i % 4 == 3 ? diff::Severity::critical : diff::Severity::low;
      made.back().category = i % 4 == 3 ? "modules" : "os";
    }
    const auto done = compare(
        "a",
        [&](const inventory::ComparisonState&) -> std::vector<RecordDiffs> {
          return {{id, previous_, "", made}};
        },
        seconds);
    if (!done) throw std::runtime_error(done.failure().message);
    previous_ = id;
    return id;
  }
  std::vector<DiffId> diffs(const DiffFilter& filter, std::size_t limit = 1000) {
    std::vector<DiffId> ids;
    for (const Diff& diff : must(stores_.history.diffs(id_of("a"), filter, limit))) ids.push_back(diff.id);
    return ids;
  }
  std::int64_t count(const DiffFilter& filter) {
    const auto found = must(stores_.tallies.count_diffs(id_of("a"), filter));
    EXPECT_TRUE(found.exact);
    return found.count;
  }
  std::vector<Day> days(const TimeRange& range = {}, const DayStart& start = {}, std::size_t limit = 100) {
    return must(stores_.tallies.days(id_of("a"), range, start, limit));
  }

 private:
  int last_path_ = 0;
  std::optional<RecordId> previous_;
};
INSTANTIATE_TEST_SUITE_P(Engines, HistoryContract, testing::ValuesIn(store_engines()), engine_name);

std::vector<Date> dates(const std::vector<Day>& days) {
  std::vector<Date> found;
  for (const Day& day : days) found.push_back(day.date);
  return found;
}

TEST_P(HistoryContract, PagesOfDiffsFitTogether) {
  add_systems({"a", "b"});
  for (int i = 0; i < 7; ++i) changed(i * 100, i * 3);
  const auto all = diffs({});
  ASSERT_THAT(all, SizeIs(63));
  EXPECT_TRUE(std::ranges::is_sorted(all, std::greater<>()));
  for (const std::size_t size : {1, 10, 63, 64}) {
    std::vector<DiffId> by_cursor;
    std::vector<DiffId> by_page;
    DiffFilter cursor;
    DiffFilter page;
    for (std::vector<DiffId> next; !(next = diffs(cursor, size)).empty(); cursor.before = next.back()) {
      by_cursor.insert(by_cursor.end(), next.begin(), next.end());
      const auto same = diffs(page, size);
      by_page.insert(by_page.end(), same.begin(), same.end());
      page.skip += size;
    }
    EXPECT_EQ(by_cursor, all);
    EXPECT_EQ(by_page, all);
  }
  EXPECT_THAT(diffs({.skip = 63}), IsEmpty());
  EXPECT_EQ(kind_of(stores_.history.diffs(id_of("a"), {.before = DiffId{987654321}}, 1)), "invalid");
  EXPECT_EQ(count({}), 63);
  EXPECT_EQ(must(stores_.tallies.count_diffs(id_of("b"), {})).count, 0);
  EXPECT_EQ(must(stores_.tallies.count_diffs(SystemId("no uuid"), {})).count, 0);
}

TEST_P(HistoryContract, CountsAreAsLongAsTheLists) {
  add_systems({"a"});
  std::vector<RecordId> records;
  for (int i = 0; i < 5; ++i) records.push_back(changed(i * 100, 8));
  std::vector<DiffFilter> filters(9);
  filters[0].severity = "critical";
  filters[1].category = "os";
  filters[2].diff_type = "update";
  filters[3].diff_type = "create";
  filters[4].current_id = records[2];
  filters[5].search = "NET.1";
  filters[6].from = at(100);
  filters[6].to = at(300);
  filters[7] = {
      .severity = "low", .category = "os", .current_id = records[1], .search = "t.1", .from = at(50)};
  filters[8].search = "%";
  const std::vector<std::int64_t> expected = {10, 30, 40, 0, 8, 11, 16, 5, 0};
  for (std::size_t i = 0; i < filters.size(); ++i) {
    EXPECT_EQ(count(filters[i]), expected[i]) << i;
    EXPECT_THAT(diffs(filters[i]), SizeIs(expected[i])) << i;
  }
}

TEST_P(HistoryContract, RecordsAreFoundByIdAndByPage) {
  add_systems({"a", "b"});
  const auto first = changed(10, 0);
  const auto second = changed(20, 1);
  const auto third = changed(30, 2);
  EXPECT_EQ(must(stores_.history.record(id_of("a"), second))->change_count, 1);
  EXPECT_EQ(must(stores_.history.record(id_of("b"), second)), std::nullopt);
  EXPECT_EQ(must(stores_.history.record(id_of("a"), RecordId{987654321})), std::nullopt);
  EXPECT_EQ(must(stores_.history.record(SystemId("no uuid"), second)), std::nullopt);
  const auto page = must(stores_.history.records(id_of("a"), {.skip = 1}, 1));
  ASSERT_THAT(page, SizeIs(1));
  EXPECT_EQ(page[0].id, second);
  EXPECT_EQ(must(stores_.tallies.count_records(id_of("a"))).count, 3);
  EXPECT_EQ(must(stores_.tallies.count_records(id_of("b"))).count, 0);
  // Retention takes the cursor's record: the list goes on with what is older.
  sql(fmt::format("DELETE FROM inventory_records WHERE id = {}", static_cast<std::int64_t>(second)));
  const auto rest = must(stores_.history.records(id_of("a"), {.before = second}, 10));
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_EQ(rest[0].id, first);
  EXPECT_EQ(must(stores_.history.records(id_of("a"), {.before = third}, 10))[0].id, first);
}

TEST_P(HistoryContract, DaysSayWhatChanged) {
  add_systems({"a", "b"});
  const auto early = changed(10, 5);
  const auto late = changed(kDay - 1, 4);
  changed(kDay + 5, 0);
  const auto later = changed(3 * kDay, 1);

  const auto all = days();
  EXPECT_THAT(dates(all), ElementsAre(date_at(3 * kDay), date_at(0)));
  EXPECT_EQ(all[0].changes, 1);
  EXPECT_THAT(all[0].records, ElementsAre(later));
  EXPECT_THAT(all[0].by_severity, ElementsAre(Pair("low", 1)));
  EXPECT_EQ(all[1].changes, 9);
  EXPECT_THAT(all[1].records, ElementsAre(early, late));
  EXPECT_THAT(all[1].by_severity, UnorderedElementsAre(Pair("low", 7), Pair("critical", 2)));
  EXPECT_EQ(must(stores_.tallies.count_days(id_of("a"), {})).count, 2);

  // The records of changes may be gone; the changes are not.
  sql(fmt::format("DELETE FROM inventory_records WHERE id = {}", static_cast<std::int64_t>(early)));
  EXPECT_THAT(days()[1].records, ElementsAre(late));
  EXPECT_EQ(days()[1].changes, 9);

  EXPECT_THAT(must(stores_.tallies.days(id_of("b"), {}, {}, 10)), IsEmpty());
  EXPECT_THAT(must(stores_.tallies.days(SystemId("no uuid"), {}, {}, 10)), IsEmpty());
  EXPECT_EQ(must(stores_.tallies.count_days(id_of("b"), {})).count, 0);
}

TEST_P(HistoryContract, PagesOfDaysFitTogether) {
  add_systems({"a"});
  for (int day = 0; day < 9; ++day) {
    if (day % 3 == 1) continue;
    changed(day * kDay + 5, 2);
    changed(day * kDay + 500, 1);
  }
  EXPECT_THAT(dates(days({}, {}, 2)), ElementsAre(date_at(8 * kDay), date_at(6 * kDay)));
  EXPECT_THAT(dates(days({}, {.before = date_at(6 * kDay)}, 2)),
              ElementsAre(date_at(5 * kDay), date_at(3 * kDay)));
  EXPECT_THAT(dates(days({}, {.skip = 2}, 2)), ElementsAre(date_at(5 * kDay), date_at(3 * kDay)));
  EXPECT_THAT(dates(days({}, {.skip = 5}, 2)), ElementsAre(date_at(0)));
  EXPECT_THAT(days({}, {.skip = 6}, 2), IsEmpty());
  EXPECT_THAT(days({}, {.before = date_at(0)}, 2), IsEmpty());

  // A range that cuts two days.
  const TimeRange range{at(2 * kDay + 100), at(5 * kDay + 100)};
  const auto cut = days(range);
  EXPECT_THAT(dates(cut), ElementsAre(date_at(5 * kDay), date_at(3 * kDay), date_at(2 * kDay)));
  EXPECT_EQ(cut[0].changes, 2);
  EXPECT_EQ(cut[1].changes, 3);
  EXPECT_EQ(cut[2].changes, 1);
  EXPECT_EQ(must(stores_.tallies.count_days(id_of("a"), range)).count, 3);
  EXPECT_THAT(dates(days(range, {.skip = 1}, 1)), ElementsAre(date_at(3 * kDay)));
}

TEST_P(HistoryContract, TalliesChangesByKind) {
  add_systems({"a", "b"});
  changed(10, 8);
  changed(kDay, 3);
  const auto all = must(stores_.tallies.tally(id_of("a"), {}));
  EXPECT_EQ(all.changes.count, 11);
  EXPECT_TRUE(all.changes.exact);
  EXPECT_THAT(all.by_severity, UnorderedElementsAre(Pair("low", 9), Pair("critical", 2)));
  EXPECT_THAT(all.by_category, UnorderedElementsAre(Pair("os", 9), Pair("modules", 2)));
  EXPECT_THAT(all.by_type, ElementsAre(Pair("update", 11)));
  EXPECT_EQ(all.newest, at(kDay));
  const auto first_day = must(stores_.tallies.tally(id_of("a"), {std::nullopt, at(100)}));
  EXPECT_EQ(first_day.changes.count, 8);
  EXPECT_EQ(first_day.newest, at(10));
  const auto none = must(stores_.tallies.tally(id_of("b"), {}));
  EXPECT_EQ(none.changes.count, 0);
  EXPECT_EQ(none.newest, std::nullopt);
  EXPECT_EQ(must(stores_.tallies.tally(SystemId("no uuid"), {})).changes.count, 0);
}

}  // namespace
}  // namespace collect::test
