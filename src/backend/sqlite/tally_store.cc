// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/tally_store.h"

#include <algorithm>

#include "backend/sqlite/diff_selection.h"

namespace collect::sqlite {
namespace {

using inventory::Date;
using inventory::Day;
using inventory::DayStart;
using inventory::DiffFilter;
using inventory::kCountedDays;
using inventory::TimeRange;

struct Between {
  Time from;
  Time to;
};

Between between(const TimeRange& range, std::optional<Date> before = {}) {
  Between times{range.from.value_or(inventory::kFirstTime), range.to.value_or(inventory::kLastTime)};
  if (before) times.to = std::min(times.to, Time(*before));
  return times;
}

// The newest day between two times, found by one step down the index.
std::optional<Date> newest_day(Snapshot& snapshot, const SystemId& system_id, const Between& times) {
  auto row = snapshot.query(
      "SELECT created_at FROM inventory_diffs WHERE system_id = ?1 AND created_at >= ?2 AND created_at < ?3"
      " ORDER BY created_at DESC, id DESC LIMIT 1",
      system_id, times.from, times.to);
  if (!row.next()) return std::nullopt;
  return std::chrono::floor<std::chrono::days>(row.time(0));
}

Day read_day(Snapshot& snapshot, const SystemId& system_id, Date date, const Between& times) {
  Day day;
  day.date = date;
  auto row = snapshot.query(
      "SELECT severity, current_id, count(*) FROM inventory_diffs"
      " WHERE system_id = ?1 AND created_at >= ?2 AND created_at < ?3 GROUP BY severity, current_id",
      system_id, std::max(times.from, Time(date)), std::min(times.to, Time(date + std::chrono::days(1))));
  while (row.next()) {
    const auto count = row.int64(2);
    day.changes += count;
    day.by_severity[row.text(0)] += count;
    if (!row.is_null(1)) day.records.push_back(RecordId{row.int64(1)});
  }
  std::ranges::sort(day.records);
  day.records.erase(std::unique(day.records.begin(), day.records.end()), day.records.end());
  return day;
}

}  // namespace

Result<Count> TallyStore::count_records(const SystemId& system_id) {
  return database_.read([&](Snapshot& snapshot) {
    auto row =
        snapshot.query("SELECT count(*) FROM (SELECT 1 FROM inventory_records WHERE system_id = ? LIMIT ?)",
                       system_id, kCounted + 1);
    row.next();
    return counted(row.int64(0), row.int64(0));
  });
}

Result<Count> TallyStore::count_diffs(const SystemId& system_id, const DiffFilter& filter) {
  // What bounds the list bounds where to look; the other conditions choose among the newest of that.
  static const auto count_among = [](const std::string& looked) {
    return "SELECT count(*) FILTER (WHERE true" + kChosenDiffs +
           "), count(*) FROM (SELECT severity, category, diff_type, field_path" + looked +
           " ORDER BY created_at DESC, id DESC LIMIT ?9)";
  };
  static const std::string of_system = count_among(kDiffsOfSystem);
  static const std::string of_record = count_among(kDiffsOfRecord);
  return database_.read([&](Snapshot& snapshot) {
    DiffFilter where;
    where.to = filter.to;
    const auto end = inventory::end_of(where, std::nullopt);
    const auto from = filter.from.value_or(inventory::kFirstTime);
    auto row = filter.current_id
                   ? snapshot.query(of_record, system_id, from, end.created_at, end.id, filter.severity,
                                    filter.category, filter.diff_type, filter.search, kCounted + 1,
                                    std::nullopt, *filter.current_id)
                   : snapshot.query(of_system, system_id, from, end.created_at, end.id, filter.severity,
                                    filter.category, filter.diff_type, filter.search, kCounted + 1);
    row.next();
    return counted(row.int64(0), row.int64(1));
  });
}

Result<std::vector<Day>> TallyStore::days(const SystemId& system_id, const TimeRange& range,
                                          const DayStart& start, std::size_t limit) {
  return database_.read([&](Snapshot& snapshot) {
    std::vector<Day> days;
    auto times = between(range, start.before);
    auto date = newest_day(snapshot, system_id, times);
    const auto step = [&] {
      times.to = std::min(times.to, Time(*date));
      date = newest_day(snapshot, system_id, times);
    };
    for (std::size_t skipped = 0; date && skipped < start.skip; ++skipped) step();
    std::int64_t looked = 0;
    while (date && days.size() < limit && looked < kCounted) {
      looked += days.emplace_back(read_day(snapshot, system_id, *date, times)).changes;
      step();
    }
    return days;
  });
}

Result<Count> TallyStore::count_days(const SystemId& system_id, const TimeRange& range) {
  return database_.read([&](Snapshot& snapshot) {
    auto times = between(range);
    std::int64_t days = 0;
    while (const auto date = newest_day(snapshot, system_id, times)) {
      if (++days > kCountedDays) break;
      times.to = Time(*date);
    }
    return counted(days, days, kCountedDays);
  });
}

Result<inventory::Tally> TallyStore::tally(const SystemId& system_id, const TimeRange& range) {
  return database_.read([&](Snapshot& snapshot) {
    inventory::Tally tally;
    const auto times = between(range);
    auto row = snapshot.query(
        "SELECT severity, category, diff_type, count(*), max(created_at) FROM (SELECT severity, category,"
        "   diff_type, created_at FROM inventory_diffs WHERE system_id = ?1 AND created_at >= ?2"
        "   AND created_at < ?3 ORDER BY created_at DESC, id DESC LIMIT ?4) GROUP BY 1, 2, 3",
        system_id, times.from, times.to, kCounted + 1);
    std::int64_t looked = 0;
    while (row.next()) {
      const auto count = row.int64(3);
      tally.by_severity[row.text(0)] += count;
      tally.by_category[row.text(1)] += count;
      tally.by_type[row.text(2)] += count;
      tally.newest = std::max(tally.newest.value_or(inventory::kFirstTime), row.time(4));
      looked += count;
    }
    tally.changes = counted(looked, looked);
    return tally;
  });
}

}  // namespace collect::sqlite
