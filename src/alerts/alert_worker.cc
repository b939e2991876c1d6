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
constexpr std::size_t kRecordsPerCall = 100;  // one transaction

std::optional<RecordId> record_of(const queue::Message& message) {
  const auto data = json::Document::parse(message.data);
  const json::Value* id = data ? data->root().find("record_id") : nullptr;
  const auto number = id != nullptr && id->is_number() ? json::to_int64(id->text) : std::nullopt;
  if (!number) return std::nullopt;
  return RecordId(*number);
}

void trace(const NotifyState& state) {
  if (!log::enabled(log::Level::debug) || state.unsent.empty()) return;
  std::string paths;
  for (std::size_t i = 0; i < std::min(state.unsent.size(), kPathsInALine); ++i) {
    const StoredDiff& diff = state.unsent[i];
    paths += fmt::format("{}{} {}", i > 0 ? ", " : "", diff::to_string(diff.type), diff.field_path);
  }
  if (state.unsent.size() > kPathsInALine)
    paths += fmt::format(" and {} more", state.unsent.size() - kPathsInALine);
  log::debug("inventory_changed", {{"system_id", state.system.id.text()},
                                   {"record_id", static_cast<std::int64_t>(state.unsent.front().record_id)},
                                   {"changes", state.unsent.size()},
                                   {"paths", paths}});
}

}  // namespace

AlertWorker::AlertWorker(AlertStore& store, Rules rules, const Clock& clock, Wake wake)
    : store_(store), rules_(std::move(rules)), clock_(clock), wake_(std::move(wake)) {}

Result<std::vector<queue::Outcome>> AlertWorker::handle(std::span<const queue::Message> messages,
                                                        const queue::StillOurs& still_ours) {
  std::vector<queue::Outcome> outcomes(messages.size(), queue::Done{});
  std::map<std::pair<SystemId, RecordId>, Job> by_record;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto record_id = record_of(messages[i]);
    if (!record_id || messages[i].system_id.empty()) {
      outcomes[i] = queue::Failed{"expected a system_id and in data.record_id the number of a record"};
      continue;
    }
    Job& job = by_record[{messages[i].system_id, *record_id}];
    job.system_id = messages[i].system_id;
    job.record_id = *record_id;
    job.made = job.indexes.empty() ? messages[i].created_at : std::min(job.made, messages[i].created_at);
    job.indexes.push_back(i);
  }
  std::vector<Job> jobs;
  jobs.reserve(by_record.size());
  for (auto& [key, job] : by_record) jobs.push_back(std::move(job));
  for (std::size_t from = 0; from < jobs.size(); from += kRecordsPerCall) {
    const auto some = std::span(jobs).subspan(from, std::min(kRecordsPerCall, jobs.size() - from));
    if (auto notified = notify_together(some, outcomes, still_ours); !notified) return notified.failure();
  }
  return outcomes;
}

// In one transaction; those that it cannot be done for, alone and in their order.
Result<void> AlertWorker::notify_together(std::span<const Job> jobs, std::vector<queue::Outcome>& outcomes,
                                          const queue::StillOurs& still_ours) {
  if (!still_ours()) return conflict("the batch belongs to another worker now");
  std::vector<NotifyQuestion> questions;
  for (const Job& job : jobs) questions.push_back(question(job.system_id, job.record_id, job.made, false));
  const auto notified = ask(questions);
  if (!notified && notified.failure().kind != FailureKind::invalid) return notified.failure();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (notified && !(*notified)[i].earlier) continue;
    const Job& job = jobs[i];
    const auto alone = notify_in_order(job.system_id, job.record_id, job.made, still_ours);
    if (alone) continue;
    if (alone.failure().kind != FailureKind::invalid) return alone.failure();
    for (const std::size_t index : job.indexes) outcomes[index] = queue::Failed{alone.failure().message};
  }
  return {};
}

// After a crash the messages of earlier records may come after this one.
Result<void> AlertWorker::notify_in_order(const SystemId& system_id, RecordId record_id, Time made,
                                          const queue::StillOurs& still_ours) {
  bool out_of_order = false;
  for (RecordId next = record_id;;) {
    // What was told before stays told: it finds nothing unsent the next time.
    if (!still_ours()) return conflict("the batch belongs to another worker now");
    const std::vector<NotifyQuestion> one = {question(system_id, next, made, out_of_order)};
    const auto notified = ask(one);
    if (!notified) {
      // One that is refused again and again holds up none of those that follow.
      if (next == record_id || notified.failure().kind != FailureKind::invalid) return notified.failure();
      out_of_order = true;
    }
    const auto earlier = notified ? notified->front().earlier : std::nullopt;
    if (notified && !earlier && next == record_id) return {};
    next = earlier.value_or(record_id);
  }
}

NotifyQuestion AlertWorker::question(const SystemId& system_id, const RecordId& record_id, Time made,
                                     bool out_of_order) const {
  const Time now = clock_.now();
  const Duration window = rules_().pattern_window();
  const bool patterns = window > Duration::zero();
  const Time since = (made == Time{} ? now : std::min(made, now)) - kChangesMayBeOlder - window;
  return {.system_id = system_id,
          .records = {record_id},
          .since = patterns ? since : now,
          .now = now,
          .out_of_order = out_of_order,
          .window = window};
}

Result<std::vector<Notified>> AlertWorker::ask(std::span<const NotifyQuestion> questions) {
  const NotificationRules rules = rules_();
  auto notified = store_.notify_all(questions, [&](const NotifyState& state) {
    trace(state);
    return rules.decide(state);
  });
  if (!notified) return notified;
  bool news = false;
  for (const Notified& one : *notified) {
    if (one.diffs > 0) ++counters_.records;
    counters_.changes += one.diffs;
    counters_.alerts += one.alerts;
    counters_.resolved += one.resolved;
    news = news || one.alerts + one.resolved > 0;
  }
  if (wake_ && news) wake_();
  return notified;
}

// Nothing to book: the diffs keep notification_sent = false, and the sweep tells them again.
Result<std::map<MessageId, queue::Done>> AlertWorker::bury(std::span<const queue::Message> dead) {
  for (const queue::Message& message : dead) {
    log::error("notification_given_up", {{"system_id", message.system_id.text()},
                                         {"reason", message.error.value_or("no reason given")}});
  }
  return std::map<MessageId, queue::Done>{};
}

}  // namespace collect::alerts
