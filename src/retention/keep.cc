// SPDX-License-Identifier: Apache-2.0
#include "retention/keep.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace collect::retention {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr days kAll{7};
constexpr days kResolvedAlerts{30};
constexpr days kDeliveries{30};

enum class Row { all, daily, weekly, monthly, quarterly };

// The table's borders at one moment.
class Table {
 public:
  explicit Table(Time now)
      : week_(now - kAll),
        month_(months_before(now, 1)),
        quarter_(months_before(now, 3)),
        year_(months_before(now, 12)) {}

  [[nodiscard]] Row row(Time created_at) const {
    if (created_at >= week_) return Row::all;
    if (created_at >= month_) return Row::daily;
    if (created_at >= quarter_) return Row::weekly;
    return created_at >= year_ ? Row::monthly : Row::quarterly;
  }

 private:
  Time week_, month_, quarter_, year_;
};

// Equal for two times of one row exactly when they are in one period.
std::int64_t period(Row row, Time time) {
  const auto day = floor<days>(time);
  const auto since_epoch = day.time_since_epoch();
  const year_month_day date(day);
  const auto month =
      std::int64_t{12} * static_cast<int>(date.year()) + static_cast<unsigned>(date.month()) - 1;
  switch (row) {
    case Row::all:
    case Row::daily:
      return since_epoch.count();
    case Row::weekly:  // day 0 was a Thursday, weeks begin on Monday
      return floor<std::chrono::weeks>(since_epoch + days(3)).count();
    case Row::monthly:
      return month;
    case Row::quarterly:
      return month / 3;  // no record is of a year before 0
  }
  return 0;
}

// What the pipeline still works on.
std::set<RecordId> needed(std::span<const StoredRecord> records) {
  std::vector<const StoredRecord*> in_order;
  for (const auto& record : records) in_order.push_back(&record);
  std::ranges::sort(in_order, {},
                    [](const auto* record) { return std::pair(record->timestamp, record->id); });
  std::set<RecordId> out;
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const auto& record = *in_order[i];
    if (record.pending && i > 0) out.insert(in_order[i - 1]->id);
    if (record.pending || record.untold || i + 1 == in_order.size()) out.insert(record.id);
  }
  return out;
}

}  // namespace

Time months_before(Time now, int months) {
  const auto day = floor<days>(now);
  const year_month_day date(day);
  const auto month = std::chrono::year_month(date.year(), date.month()) - std::chrono::months(months);
  const auto last =
      std::chrono::year_month_day_last(month.year(), std::chrono::month_day_last(month.month()));
  return sys_days(month / std::min(date.day(), last.day())) + (now - day);
}

std::vector<RecordId> expired(std::span<const StoredRecord> records, Time now) {
  if (records.empty()) return {};
  std::vector<StoredRecord> newest_first(records.begin(), records.end());
  std::ranges::sort(newest_first, std::greater(),
                    [](const auto& record) { return std::pair(record.created_at, record.id); });
  auto stays = needed(records);
  stays.insert(newest_first.back().id);
  const Table table(now);
  std::vector<RecordId> out;
  std::optional<std::pair<Row, std::int64_t>> previous;
  for (const auto& record : newest_first) {
    const Row row = table.row(record.created_at);
    const std::pair here(row, period(row, record.created_at));
    const bool newest_of_period = here != previous;
    previous = here;
    if (row != Row::all && !newest_of_period && !stays.contains(record.id)) out.push_back(record.id);
  }
  std::ranges::reverse(out);
  return out;
}

Horizons horizons(Time now) {
  return {now - kResolvedAlerts, months_before(now, 6), now - kDeliveries};
}

}  // namespace collect::retention
