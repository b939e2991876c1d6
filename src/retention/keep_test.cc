// SPDX-License-Identifier: Apache-2.0
#include "retention/keep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "support/seed.h"

namespace collect::retention {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Time time(std::string_view text) {
  return parse_rfc3339(text).value();
}

// One record for each time, numbered from 1, each received when it was made.
std::vector<StoredRecord> history(const std::vector<std::string>& times) {
  std::vector<StoredRecord> out;
  for (const auto& text : times) {
    out.push_back(
        {RecordId{static_cast<std::int64_t>(out.size()) + 1}, time(text), time(text), false, false});
  }
  return out;
}

auto ids(std::initializer_list<std::int64_t> numbers) {
  std::vector<RecordId> out;
  for (const auto number : numbers) out.push_back(RecordId{number});
  return out;
}

const Time kNow = time("2026-03-31T12:00:00Z");

TEST(Expired, NothingOfNothing) {
  EXPECT_THAT(expired({}, kNow), IsEmpty());
  EXPECT_THAT(expired(history({"2001-01-01T00:00:00Z"}), kNow), IsEmpty());
}

TEST(Expired, SevenDaysKeepAll) {
  EXPECT_THAT(expired(history({"2026-03-24T12:00:00Z", "2026-03-24T12:00:01Z", "2026-03-31T11:59:58Z",
                               "2026-03-31T11:59:59Z"}),
                      kNow),
              IsEmpty());
}

TEST(Expired, AMonthKeepsTheNewestOfEachDay) {
  EXPECT_EQ(expired(history({"2026-03-01T00:00:00Z", "2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z",
                             "2026-03-10T23:59:59.999999Z", "2026-03-11T00:00:00Z", "2026-03-31T00:00:00Z"}),
                    kNow),
            ids({2, 3}));
}

TEST(Expired, ThreeMonthsKeepTheNewestOfEachIsoWeek) {
  // 2026-02-02 is a Monday.
  EXPECT_EQ(expired(history({"2026-01-25T00:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T23:59:59Z",
                             "2026-02-02T00:00:00Z", "2026-02-08T23:59:59Z", "2026-02-09T00:00:00Z",
                             "2026-03-31T00:00:00Z"}),
                    kNow),
            ids({2, 4}));
}

TEST(Expired, AYearKeepsTheNewestOfEachMonth) {
  EXPECT_EQ(expired(history({"2025-04-30T00:00:00Z", "2025-05-01T00:00:00Z", "2025-05-31T23:59:59Z",
                             "2025-06-01T00:00:00Z", "2025-06-02T00:00:00Z", "2026-03-31T00:00:00Z"}),
                    kNow),
            ids({2, 4}));
}

TEST(Expired, OlderOnesKeepTheNewestOfEachQuarter) {
  EXPECT_EQ(expired(history({"2023-12-31T00:00:00Z", "2024-01-01T00:00:00Z", "2024-03-31T23:59:59Z",
                             "2024-04-01T00:00:00Z", "2024-06-30T00:00:00Z", "2026-03-31T00:00:00Z"}),
                    kNow),
            ids({2, 4}));
}

TEST(Expired, TheFirstAndTheLatestAlwaysStay) {
  EXPECT_EQ(expired(history({"2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z"}), kNow),
            ids({2}));
}

TEST(Expired, ABorderOfTheTableCutsAPeriodInTwo) {
  // Of the week of 2026-02-23 the part before the 28th is weekly, the part from then on daily.
  EXPECT_EQ(expired(history({"2026-01-01T00:00:00Z", "2026-02-26T00:00:00Z", "2026-02-28T11:59:59Z",
                             "2026-02-28T12:00:00Z", "2026-02-28T13:00:00Z", "2026-03-31T00:00:00Z"}),
                    kNow),
            ids({2, 4}));
}

TEST(Expired, WhatThePipelineNeedsStays) {
  auto records =
      history({"2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-02-02T00:00:00Z", "2024-02-03T00:00:00Z",
               "2024-02-04T00:00:00Z", "2024-02-05T00:00:00Z", "2026-03-31T00:00:00Z"});
  EXPECT_EQ(expired(records, kNow), ids({2, 3, 4, 5}));
  records[3].pending = true;  // and what it is compared with
  EXPECT_EQ(expired(records, kNow), ids({2, 5}));
  records[1].untold = true;
  EXPECT_EQ(expired(records, kNow), ids({5}));
}

TEST(Expired, TheNextInventoryIsComparedWithTheOneReceivedLast) {
  // The oldest but one was sent again and again; the one after it came late.
  auto records = history({"2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"});
  records[1].timestamp = kNow;
  EXPECT_THAT(expired(records, kNow), IsEmpty());
}

TEST(MonthsBefore, EndsWithAShorterMonth) {
  EXPECT_EQ(to_rfc3339(months_before(kNow, 1)), "2026-02-28T12:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(months_before(kNow, 3)), "2025-12-31T12:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(months_before(kNow, 25)), "2024-02-29T12:00:00.000000Z");
}

// ---------------------------------------------------------------- against a plain model

// The table once more, in other words: a label for each record, and the newest of each label stays.
std::set<RecordId> stays_by_the_table(const std::vector<StoredRecord>& records, Time now) {
  using namespace std::chrono;
  const auto label = [&](Time at) -> std::string {
    const year_month_day date(floor<days>(at));
    const auto month = std::to_string(static_cast<int>(date.year())) + "-" +
                       std::to_string(static_cast<unsigned>(date.month()));
    if (at >= now - hours(7 * 24)) return "each " + to_rfc3339(at);
    if (at >= months_before(now, 1)) return "day " + to_rfc3339(at).substr(0, 10);
    if (at >= months_before(now, 3)) {
      const sys_days day = floor<days>(at);
      return "week " + to_rfc3339(Time(day - (weekday(day) - Monday)));
    }
    if (at >= months_before(now, 12)) return "month " + month;
    return "quarter " + std::to_string(static_cast<int>(date.year())) + "/" +
           std::to_string((static_cast<unsigned>(date.month()) + 2) / 3);
  };
  std::set<RecordId> stays;
  for (const auto& one : records) {
    const auto newer = [&](const StoredRecord& other) {
      return std::pair(other.created_at, other.id) > std::pair(one.created_at, one.id);
    };
    const auto same_period = [&](const StoredRecord& other) {
      return label(other.created_at) == label(one.created_at) && one.created_at < now - hours(7 * 24);
    };
    const bool first = std::ranges::count_if(records, newer) + 1 == std::ssize(records);
    if (first ||
        std::ranges::none_of(records, [&](const auto& other) { return newer(other) && same_period(other); }))
      stays.insert(one.id);
  }
  return stays;
}

std::vector<StoredRecord> without(std::vector<StoredRecord> records, const std::vector<RecordId>& gone) {
  std::erase_if(records,
                [&](const auto& record) { return std::ranges::find(gone, record.id) != gone.end(); });
  return records;
}

std::set<RecordId> ids_of(const std::vector<StoredRecord>& records) {
  std::set<RecordId> out;
  for (const auto& record : records) out.insert(record.id);
  return out;
}

// Years of reports with pauses of all lengths between them.
std::vector<StoredRecord> random_history(std::mt19937_64& random, Time now) {
  using namespace std::chrono;
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  std::vector<StoredRecord> records;
  Time at = now - days(between(0, 4 * 366));
  const int usual = static_cast<int>(between(0, 3));
  while (at <= now && records.size() < 500) {
    records.push_back({RecordId{static_cast<std::int64_t>(records.size()) + 1}, at, at, false, false});
    const std::int64_t hours_on[] = {1, 24, 24 * 7, 24 * 60};
    const auto kind = between(0, 9) < 8 ? usual : between(0, 3);
    at += minutes(between(0, 60 * hours_on[kind])) + microseconds(between(0, 1));
  }
  return records;
}

TEST(Expired, DoesWhatTheTableSaysOnRandomHistories) {
  std::mt19937_64 random(collect::test::test_seed());
  for (int round = 0; round < 40; ++round) {
    const Time now =
        time("2024-01-01T00:00:00Z") +
        std::chrono::minutes(std::uniform_int_distribution<std::int64_t>(0, 60 * 24 * 900)(random));
    auto records = random_history(random, now);
    if (records.empty()) continue;
    const auto expected = stays_by_the_table(records, now);
    std::ranges::shuffle(records, random);
    const auto left = without(records, expired(records, now));
    ASSERT_EQ(ids_of(left), expected) << "now " << to_rfc3339(now);
    EXPECT_THAT(expired(left, now), IsEmpty());  // it is done at once
  }
}

// Swept as it grows: whatever the steps, the table holds for what is there, and no age is without witness.
TEST(Expired, HoldsWhileTheHistoryGrows) {
  using namespace std::chrono;
  std::vector<StoredRecord> records;
  Time now = time("2023-01-01T00:00:00Z");
  for (int hour = 0; hour < 3 * 365 * 24; hour += 6, now += hours(6)) {
    records.push_back({RecordId{hour + 1}, now, now, false, false});
    records = without(records, expired(records, now));
  }
  EXPECT_EQ(ids_of(records), stays_by_the_table(records, now - hours(6)));
  EXPECT_EQ(records.front().id, RecordId{1});
  std::map<int, int> by_year;
  for (const auto& record : records)
    ++by_year[static_cast<int>(year_month_day(floor<days>(record.created_at)).year())];
  EXPECT_THAT(by_year, ElementsAre(testing::Pair(2023, 5),
                                   testing::Pair(2024, testing::AllOf(testing::Ge(4), testing::Le(5))),
                                   testing::Pair(2025, testing::Gt(60))));
  EXPECT_LT(records.size(), 90U);
}

}  // namespace
}  // namespace collect::retention
