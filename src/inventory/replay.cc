// SPDX-License-Identifier: Apache-2.0
#include "inventory/replay.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <set>

namespace collect::inventory {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::int64_t>::max();

// Ids are given in the order of storing: a system's records are stored one after the other.
std::set<RecordId> late_ones(std::vector<std::pair<RecordId, Time>> records) {
  std::ranges::sort(records);
  std::set<RecordId> late;
  Time newest = Time::min();
  for (const auto& [id, timestamp] : records) {
    if (timestamp < newest) late.insert(id);
    newest = std::max(newest, timestamp);
  }
  return late;
}

std::set<RecordId> late_ones(const std::vector<Record>& records) {
  std::vector<std::pair<RecordId, Time>> keys;
  keys.reserve(records.size());
  for (const auto& record : records) keys.emplace_back(record.id, record.timestamp);
  return late_ones(std::move(keys));
}

struct StoredDiffs {
  std::map<RecordId, std::vector<Diff>> by_record;
  std::deque<Diff> removed;  // their records are gone; by id
};

Result<StoredDiffs> diffs_since(HistoryStore& history, const SystemId& system_id, Time since) {
  DiffFilter filter;
  filter.from = since;
  auto diffs = history.diffs(system_id, filter, kAll);
  if (!diffs) return diffs.failure();
  std::ranges::reverse(*diffs);
  StoredDiffs stored;
  for (auto& diff : *diffs) {
    if (diff.current_id) {
      stored.by_record[*diff.current_id].push_back(std::move(diff));
    } else {
      stored.removed.push_back(std::move(diff));
    }
  }
  return stored;
}

// Walks the records that were compared with one another.
class Walk {
 public:
  Walk(HistoryStore& history, StoredDiffs stored, const VisitRecord& visit)
      : history_(history), stored_(std::move(stored)), visit_(visit) {}

  Result<void> baseline(const Record& record) {
    ReplayedRecord replayed;
    replayed.record = record;
    replayed.baseline = true;
    previous_ = record.id;
    return show(replayed);
  }

  Result<void> next(const Record& record, bool late) {
    ReplayedRecord replayed;
    replayed.record = record;
    replayed.late = late;
    replayed.diffs = std::move(stored_.by_record[record.id]);
    if (!late && record.processed_at) {
      look_for_gap(replayed);
      previous_ = record.id;
    }
    return show(replayed);
  }

 private:
  // A gap that changed nothing leaves no trace.
  void look_for_gap(ReplayedRecord& replayed) {
    auto& removed = stored_.removed;
    while (!removed.empty() && removed.front().created_at <= *replayed.record.processed_at) {
      replayed.removed.push_back(std::move(removed.front()));
      removed.pop_front();
    }
    const bool compared_with_another = std::ranges::any_of(
        replayed.diffs, [&](const Diff& diff) { return !previous_ || diff.previous_id != previous_; });
    replayed.after_gap = compared_with_another || !replayed.removed.empty();
  }

  Result<void> show(ReplayedRecord& replayed) {
    if (replayed.baseline || replayed.after_gap) {
      auto held = history_.held(replayed.record.id);
      if (!held) return held.failure();
      replayed.held = std::move(*held);
    }
    auto document = history_.document(replayed.record.id);
    if (!document) return document.failure();
    if (!*document) return {};
    replayed.document = std::move(**document);
    visit_(replayed);
    return {};
  }

  HistoryStore& history_;
  StoredDiffs stored_;
  const VisitRecord& visit_;
  std::optional<RecordId> previous_;
};

}  // namespace

Result<void> replay(HistoryStore& history, const SystemId& system_id, Time since, const VisitRecord& visit) {
  auto records = history.records(system_id, {}, kAll);
  if (!records) return records.failure();
  std::ranges::reverse(*records);
  const auto late = late_ones(*records);
  const auto in_time = [&](const Record& record) { return !late.contains(record.id); };
  const auto first = std::ranges::find_if(
      *records, [&](const Record& record) { return record.created_at >= since && in_time(record); });
  if (first == records->end()) return {};
  auto diffs = diffs_since(history, system_id, since);
  if (!diffs) return diffs.failure();

  const auto baseline = std::find_if(std::reverse_iterator(first), records->rend(), in_time);
  Walk walk(history, std::move(*diffs), visit);
  if (baseline != records->rend()) {
    if (auto shown = walk.baseline(*baseline); !shown) return shown;
  }
  for (auto record = first; record != records->end(); ++record) {
    if (auto shown = walk.next(*record, !in_time(*record)); !shown) return shown;
  }
  return {};
}

}  // namespace collect::inventory
