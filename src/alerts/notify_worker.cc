// SPDX-License-Identifier: Apache-2.0
#include "alerts/notify_worker.h"

#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "base/log.h"

namespace collect::alerts {
namespace {

constexpr std::size_t kPathsInALine = 5;

std::optional<RecordId> record_of(const queue::Message& message) {
  const auto data = json::Document::parse(message.data);
  const json::Value* id = data ? data->root().find("record_id") : nullptr;
  const auto number = id != nullptr && id->is_number() ? json::to_int64(id->text) : std::nullopt;
  if (!number) return std::nullopt;
  return RecordId(*number);
}

// One line a record: what a person wants to know first, and where to look for the rest.
void tell(RecordId record_id, const std::vector<const UnsentDiff*>& diffs) {
  std::map<std::string_view, int> by_severity;
  std::string paths;
  for (std::size_t i = 0; i < diffs.size(); ++i) {
    ++by_severity[diffs[i]->severity];
    if (i < kPathsInALine)
      paths += fmt::format("{}{} {}", i > 0 ? ", " : "", diffs[i]->diff_type, diffs[i]->field_path);
  }
  if (diffs.size() > kPathsInALine) paths += fmt::format(" and {} more", diffs.size() - kPathsInALine);
  log::info("inventory_changed", {{"system_id", diffs.front()->system_id.text()},
                                  {"record_id", static_cast<std::int64_t>(record_id)},
                                  {"changes", diffs.size()},
                                  {"critical", by_severity["critical"]},
                                  {"high", by_severity["high"]},
                                  {"medium", by_severity["medium"]},
                                  {"low", by_severity["low"]},
                                  {"paths", paths}});
}

}  // namespace

Result<std::vector<queue::Outcome>> NotifyWorker::handle(std::span<const queue::Message> messages,
                                                         const queue::StillOurs& still_ours) {
  std::vector<queue::Outcome> outcomes(messages.size(), queue::Done{});
  std::vector<RecordId> records;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (const auto record_id = record_of(messages[i])) {
      records.push_back(*record_id);
    } else {
      outcomes[i] = queue::Failed{"data.record_id: expected the number of a record"};
    }
  }
  if (!still_ours()) return conflict("the batch belongs to another worker now");
  const auto unsent = store_.unsent(records);
  if (!unsent) return unsent.failure();

  std::map<RecordId, std::vector<const UnsentDiff*>> by_record;
  std::vector<DiffId> told;
  for (const UnsentDiff& diff : *unsent) {
    by_record[diff.record_id].push_back(&diff);
    told.push_back(diff.id);
  }
  for (const auto& [record_id, diffs] : by_record) tell(record_id, diffs);
  if (auto marked = store_.mark_sent(told); !marked) return marked.failure();
  counters_.records += by_record.size();
  counters_.changes += told.size();
  return outcomes;
}

// Nothing to book: the diffs keep notification_sent = false, and the sweep tells them again.
Result<void> NotifyWorker::bury(std::span<const queue::Message> dead) {
  for (const queue::Message& message : dead) {
    log::error("notification_given_up", {{"system_id", message.system_id.text()},
                                         {"reason", message.error.value_or("no reason given")}});
  }
  return {};
}

}  // namespace collect::alerts
