// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/tally_store.h"

#include <fmt/format.h>

#include <charconv>

#include "backend/postgres/diff_selection.h"

namespace collect::postgres {
namespace {

using inventory::Date;
using inventory::Day;
using inventory::DayStart;
using inventory::DiffFilter;
using inventory::kCountedDays;
using inventory::TimeRange;

// The days on which something changed between $2 and $3, newest first: one step down the index for each.
constexpr std::string_view kDays = R"(
WITH RECURSIVE days AS (
  (SELECT date_trunc('day', created_at) AS day FROM inventory_diffs
   WHERE system_id = $1 AND created_at >= $2 AND created_at < $3
   ORDER BY created_at DESC, id DESC LIMIT 1)
  UNION ALL
  SELECT (SELECT date_trunc('day', created_at) FROM inventory_diffs
          WHERE system_id = $1 AND created_at >= $2 AND created_at < days.day
          ORDER BY created_at DESC, id DESC LIMIT 1)
  FROM days WHERE days.day IS NOT NULL)
)";

// The newest day between $2 and $3.
constexpr std::string_view kNewestDay = R"(
SELECT newest.day, count(*), string_agg(DISTINCT d.current_id::text, ','),
  count(*) FILTER (WHERE d.severity = 'low'), count(*) FILTER (WHERE d.severity = 'medium'),
  count(*) FILTER (WHERE d.severity = 'high'), count(*) FILTER (WHERE d.severity = 'critical')
FROM (SELECT date_trunc('day', created_at) AS day FROM inventory_diffs
      WHERE system_id = $1 AND created_at >= $2 AND created_at < $3
      ORDER BY created_at DESC, id DESC LIMIT 1) AS newest
JOIN inventory_diffs d ON d.system_id = $1 AND d.created_at >= greatest($2, newest.day)
  AND d.created_at < least($3, newest.day + interval '1 day')
GROUP BY newest.day
)";

Params params_of(const SystemId& system_id, const TimeRange& range, std::optional<Date> before = {}) {
  Time end = range.to.value_or(inventory::kLastTime);
  if (before) end = std::min(end, Time(*before));
  return Params::of(system_id, range.from.value_or(inventory::kFirstTime), end);
}

std::vector<RecordId> ids_of(std::string_view list) {
  std::vector<RecordId> ids;
  while (!list.empty()) {
    std::int64_t id = 0;
    std::from_chars(list.data(), list.data() + list.size(), id);
    ids.push_back(RecordId{id});
    list.remove_prefix(std::min(list.find(','), list.size() - 1) + 1);
  }
  std::ranges::sort(ids);
  return ids;
}

Day day_of(const Rows& rows) {
  Day day;
  day.date = std::chrono::floor<std::chrono::days>(rows.time(0, 0));
  day.changes = rows.int64(0, 1);
  day.records = ids_of(rows.view(0, 2));
  int column = 3;
  for (const char* severity : {"low", "medium", "high", "critical"}) {
    if (const auto count = rows.int64(0, column++); count > 0) day.by_severity[severity] = count;
  }
  return day;
}

}  // namespace

Result<Count> TallyStore::count_records(const SystemId& system_id) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    if (!schema.can_hold("inventory_records.system_id", system_id.text())) return Count{};
    const auto rows = connection.run(
        "SELECT count(*) FROM (SELECT FROM inventory_records WHERE system_id = $1 LIMIT $2) AS found",
        Params::of(system_id, kCounted + 1));
    return counted(rows.int64(0, 0), rows.int64(0, 0));
  });
}

Result<Count> TallyStore::count_diffs(const SystemId& system_id, const DiffFilter& filter) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return Count{};
    // What bounds the list bounds where to look; the other conditions choose among the newest of that.
    DiffFilter where;
    where.from = filter.from;
    where.to = filter.to;
    where.current_id = filter.current_id;
    auto looked = select_diffs(system_id, where, inventory::end_of(where, std::nullopt));
    std::string found = "true";
    const auto add = [&](std::string_view condition, const auto& value) {
      if (!value) return;
      looked.params.add(*value);
      found += fmt::format(fmt::runtime(condition), ++looked.count);
    };
    add(" AND severity = ${}", filter.severity);
    add(" AND category = ${}", filter.category);
    add(" AND diff_type = ${}", filter.diff_type);
    add(" AND position(lower(${}::text) in lower(field_path)) > 0", filter.search);
    looked.params.add(kCounted + 1);
    const auto rows = connection.run(
        fmt::format("SELECT count(*) FILTER (WHERE {}), count(*) FROM (SELECT severity, category, diff_type, "
                    "field_path {} ORDER BY created_at DESC, id DESC LIMIT ${}) AS newest",
                    found, looked.sql, looked.count + 1),
        std::move(looked.params));
    return counted(rows.int64(0, 0), rows.int64(0, 1));
  });
}

Result<std::vector<Day>> TallyStore::days(const SystemId& system_id, const TimeRange& range,
                                          const DayStart& start, std::size_t limit) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    std::vector<Day> days;
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return days;
    auto before = start.before;
    if (start.skip > 0) {
      const auto last = connection.run(std::string(kDays) + "SELECT day FROM days OFFSET $4 LIMIT 1",
                                       params_of(system_id, range, before).add(start.skip - 1));
      if (last.empty() || last.is_null(0, 0)) return days;
      before = std::chrono::floor<std::chrono::days>(last.time(0, 0));
    }
    std::int64_t looked = 0;
    while (days.size() < limit && looked < kCounted) {
      const auto rows = connection.run(std::string(kNewestDay), params_of(system_id, range, before));
      if (rows.empty()) break;
      before = days.emplace_back(day_of(rows)).date;
      looked += days.back().changes;
    }
    return days;
  });
}

Result<Count> TallyStore::count_days(const SystemId& system_id, const TimeRange& range) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return Count{};
    const auto rows = connection.run(
        std::string(kDays) + "SELECT count(day) FROM (SELECT day FROM days LIMIT $4) AS newest",
        params_of(system_id, range).add(kCountedDays + 1));
    return counted(rows.int64(0, 0), rows.int64(0, 0), kCountedDays);
  });
}

Result<inventory::Tally> TallyStore::tally(const SystemId& system_id, const TimeRange& range) {
  return pool_.read([&](Connection& connection, const Schema& schema) {
    inventory::Tally tally;
    if (!schema.can_hold("inventory_diffs.system_id", system_id.text())) return tally;
    const auto rows = connection.run(
        "SELECT severity, category, diff_type, count(*), max(created_at) FROM (SELECT severity, category, "
        "diff_type, created_at FROM inventory_diffs WHERE system_id = $1 AND created_at >= $2 AND "
        "created_at < $3 ORDER BY created_at DESC, id DESC LIMIT $4) AS newest GROUP BY 1, 2, 3",
        params_of(system_id, range).add(kCounted + 1));
    std::int64_t looked = 0;
    for (int row = 0; row < rows.count(); ++row) {
      const auto count = rows.int64(row, 3);
      tally.by_severity[rows.text(row, 0)] += count;
      tally.by_category[rows.text(row, 1)] += count;
      tally.by_type[rows.text(row, 2)] += count;
      tally.newest = std::max(tally.newest.value_or(inventory::kFirstTime), rows.time(row, 4));
      looked += count;
    }
    tally.changes = counted(looked, looked);
    return tally;
  });
}

}  // namespace collect::postgres
