// SPDX-License-Identifier: Apache-2.0
#include "app/demo_check.h"

#include <fmt/format.h>

#include <map>

namespace collect::app {
namespace {

constexpr std::size_t kPage = 500;

}  // namespace

Result<Seen> look_at(inventory::HistoryStore& history, const SystemId& system_id) {
  Seen seen;
  inventory::RecordFilter page;
  for (std::size_t got = kPage; got == kPage;) {
    const auto records = history.records(system_id, page, kPage);
    if (!records) return records.failure();
    got = records->size();
    seen.records += got;
    for (const auto& record : *records) seen.compared += record.processed_at ? 1U : 0U;
    if (got > 0) page.before = records->back().id;
  }
  inventory::DiffFilter filter;
  for (std::size_t got = kPage; got == kPage;) {
    auto diffs = history.diffs(system_id, filter, kPage);
    if (!diffs) return diffs.failure();
    got = diffs->size();
    for (auto& diff : *diffs) seen.diffs.push_back(std::move(diff));
    if (got > 0) filter.before = seen.diffs.back().id;
  }
  return seen;
}

Check check(std::span<const fleet::Event> events, std::span<const inventory::Diff> diffs) {
  std::map<std::string, int> left;
  for (const auto& diff : diffs) ++left[fmt::format("{} {}", diff.diff_type, diff.field_path)];
  Check result;
  for (const auto& event : events) {
    bool complete = true;
    for (const auto& change : event.changes) {
      ++result.changes_expected;
      const auto spelled = fmt::format("{} {}", change.type, change.path);
      if (const auto found = left.find(spelled); found != left.end() && found->second > 0) {
        --found->second;
      } else {
        complete = false;
        result.missing.push_back(fmt::format("{}: {}", event.words, spelled));
      }
    }
    result.events_found += complete ? 1U : 0U;
  }
  for (const auto& [spelled, count] : left) {
    for (int i = 0; i < count; ++i) result.unexpected.push_back(spelled);
  }
  return result;
}

}  // namespace collect::app
