// SPDX-License-Identifier: Apache-2.0
#include "inventory/replay.h"

#include <algorithm>
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

using DiffsByRecord = std::map<RecordId, std::vector<Diff>>;

Result<DiffsByRecord> diffs_since(HistoryStore& history, const SystemId& system_id, Time since) {
  DiffFilter filter;
  filter.from = since;
  auto diffs = history.diffs(system_id, filter, kAll);
  if (!diffs) return diffs.failure();
  std::ranges::reverse(*diffs);
  DiffsByRecord by_record;
  for (auto& diff : *diffs) {
    if (diff.current_id) by_record[*diff.current_id].push_back(std::move(diff));
  }
  return by_record;
}

Result<void> show(HistoryStore& history, ReplayedRecord& replayed, const VisitRecord& visit) {
  auto document = history.document(replayed.record.id);
  if (!document) return document.failure();
  if (!*document) return {};
  replayed.document = std::move(**document);
  visit(replayed);
  return {};
}

Result<void> show_baseline(HistoryStore& history, const Record& record, const VisitRecord& visit) {
  auto held = history.held(record.id);
  if (!held) return held.failure();
  ReplayedRecord replayed;
  replayed.record = record;
  replayed.baseline = true;
  replayed.held = std::move(*held);
  return show(history, replayed, visit);
}

}  // namespace

Result<void> replay(HistoryStore& history, const SystemId& system_id, Time since, const VisitRecord& visit) {
  auto records = history.records(system_id, std::nullopt, kAll);
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
  if (baseline != records->rend()) {
    if (auto shown = show_baseline(history, *baseline, visit); !shown) return shown;
  }
  for (auto record = first; record != records->end(); ++record) {
    ReplayedRecord replayed;
    replayed.record = *record;
    replayed.late = !in_time(*record);
    replayed.diffs = std::move((*diffs)[record->id]);
    if (auto shown = show(history, replayed, visit); !shown) return shown;
  }
  return {};
}

}  // namespace collect::inventory
