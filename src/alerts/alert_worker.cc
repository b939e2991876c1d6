// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace collect::alerts {
namespace {

// A message is made after the changes that it is about: seconds, or after a crash until the sweep.
constexpr Duration kChangesMayBeOlder = std::chrono::hours(1);
constexpr std::size_t kPathsInALine = 5;

std::optional<RecordId> record_of(const queue::Message& message) {
  const auto data = json::Document::parse(message.data);
  const json::Value* id = data ? data->root().find("record_id") : nullptr;
  const auto number = id != nullptr && id->is_number() ? json::to_int64(id->text) : std::nullopt;
  if (!number) return std::nullopt;
  return RecordId(*number);
}

void trace(const NotifyState& state, RecordId record_id) {
  if (!log::enabled(log::Level::debug)) return;
  std::string paths;
  for (std::size_t i = 0; i < std::min(state.unsent.size(), kPathsInALine); ++i) {
    const StoredDiff& diff = state.unsent[i];
    paths += fmt::format("{}{} {}", i > 0 ? ", " : "", diff::to_string(diff.type), diff.field_path);
  }
  if (state.unsent.size() > kPathsInALine)
    paths += fmt::format(" and {} more", state.unsent.size() - kPathsInALine);
  log::debug("inventory_changed", {{"system_id", state.system.id.text()},
                                   {"record_id", static_cast<std::int64_t>(record_id)},
                                   {"changes", state.unsent.size()},
                                   {"paths", paths}});
}

// The messages about one record; they may have come more than once.
struct Job {
  std::vector<std::size_t> indexes;
  Time made{};  // the oldest of them
};

}  // namespace

AlertWorker::AlertWorker(AlertStore& store, Rules rules, const Clock& clock, Wake wake)
    : store_(store), rules_(std::move(rules)), clock_(clock), wake_(std::move(wake)) {}

Result<std::vector<queue::Outcome>> AlertWorker::handle(std::span<const queue::Message> messages,
                                                        const queue::StillOurs& still_ours) {
  std::vector<queue::Outcome> outcomes(messages.size(), queue::Done{});
  std::map<std::pair<SystemId, RecordId>, Job> jobs;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto record_id = record_of(messages[i]);
    if (!record_id || messages[i].system_id.empty()) {
      outcomes[i] = queue::Failed{"expected a system_id and in data.record_id the number of a record"};
      continue;
    }
    Job& job = jobs[{messages[i].system_id, *record_id}];
    job.made = job.indexes.empty() ? messages[i].created_at : std::min(job.made, messages[i].created_at);
    job.indexes.push_back(i);
  }
  for (const auto& [key, job] : jobs) {
    const auto notified = notify_in_order(key.first, key.second, job.made, still_ours);
    if (notified) continue;
    if (notified.failure().kind != FailureKind::invalid) return notified.failure();
    for (const std::size_t i : job.indexes) outcomes[i] = queue::Failed{notified.failure().message};
  }
  return outcomes;
}

// After a crash the messages of earlier records may come after this one.
Result<void> AlertWorker::notify_in_order(const SystemId& system_id, RecordId record_id, Time made,
                                          const queue::StillOurs& still_ours) {
  bool out_of_order = false;
  for (RecordId next = record_id;;) {
    // What was told before stays told: it finds nothing unsent the next time.
    if (!still_ours()) return conflict("the batch belongs to another worker now");
    const auto earlier = notify(system_id, next, made, out_of_order);
    if (!earlier) {
      // One that is refused again and again holds up none of those that follow.
      if (next == record_id || earlier.failure().kind != FailureKind::invalid) return earlier.failure();
      out_of_order = true;
    }
    if (earlier && !*earlier && next == record_id) return {};
    next = earlier && *earlier ? **earlier : record_id;
  }
}

Result<std::optional<RecordId>> AlertWorker::notify(const SystemId& system_id, RecordId record_id, Time made,
                                                    bool out_of_order) {
  const NotificationRules rules = rules_();
  const Time now = clock_.now();
  const Duration window = rules.pattern_window();
  const bool patterns = window > Duration::zero();
  const Time since = (made == Time{} ? now : std::min(made, now)) - kChangesMayBeOlder - window;
  const std::vector<RecordId> records = {record_id};
  const auto notified = store_.notify({.system_id = system_id,
                                       .records = records,
                                       .since = patterns ? since : now,
                                       .pattern_rule = std::string(kPatternRule),
                                       .now = now,
                                       .out_of_order = out_of_order},
                                      [&](const NotifyState& state) {
                                        trace(state, record_id);
                                        return rules.decide(state);
                                      });
  if (!notified) return notified.failure();
  if (notified->diffs > 0) ++counters_.records;
  counters_.changes += notified->diffs;
  counters_.alerts += notified->alerts;
  counters_.resolved += notified->resolved;
  if (wake_ && notified->alerts + notified->resolved > 0) wake_();
  return notified->earlier;
}

// Nothing to book: the diffs keep notification_sent = false, and the sweep tells them again.
Result<void> AlertWorker::bury(std::span<const queue::Message> dead) {
  for (const queue::Message& message : dead) {
    log::error("notification_given_up", {{"system_id", message.system_id.text()},
                                         {"reason", message.error.value_or("no reason given")}});
  }
  return {};
}

}  // namespace collect::alerts
