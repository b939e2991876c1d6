// SPDX-License-Identifier: Apache-2.0
#include "inventory/diff_worker.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/log.h"
#include "inventory/comparison.h"
#include "inventory/jobs.h"

namespace collect::inventory {
namespace {

// Together they bound what one transaction reads: documents of one batch, all in memory at once.
constexpr std::size_t kRecordsPerCall = 10;  // of a system
constexpr std::size_t kSystemsPerCall = 50;

}  // namespace

DiffWorker::DiffWorker(ComparisonStore& store, Rules rules, Recent& recent, const Clock& clock,
                       int max_attempts)
    : store_(store), rules_(std::move(rules)), recent_(recent), clock_(clock), max_attempts_(max_attempts) {}

Result<std::vector<queue::Outcome>> DiffWorker::handle(std::span<const queue::Message> messages,
                                                       const queue::StillOurs& still_ours) {
  std::vector<queue::Outcome> outcomes(messages.size(), queue::Done{});
  // Jobs only name systems: what to compare, the database knows.
  std::map<SystemId, std::vector<std::size_t>> jobs;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].system_id.empty()) {
      outcomes[i] = queue::Failed{"system_id is missing"};
    } else {
      jobs[messages[i].system_id].push_back(i);
    }
  }
  if (!still_ours()) return conflict("the batch belongs to another worker now");

  std::vector<SystemId> systems;
  for (const auto& [system_id, indexes] : jobs) systems.push_back(system_id);
  std::vector<Compared> compared;
  if (auto done = compare(systems, compared); !done) {
    if (done.failure().kind != FailureKind::invalid) return done.failure();
    compared.clear();
    for (const auto& [system_id, indexes] : jobs) {  // one bad record must not hold its neighbours up
      auto alone = compare({system_id}, compared);
      if (!alone && alone.failure().kind != FailureKind::invalid) return alone.failure();
      for (const std::size_t i : indexes) {
        if (!alone) outcomes[i] = queue::Failed{alone.failure().message};
      }
    }
  }
  const Time now = clock_.now();
  for (const Compared& record : compared) {
    if (!record.earlier) {
      ++counters_.records;
      if (record.change_count == 0) continue;
      ++counters_.changed_records;
      counters_.changes += static_cast<std::uint64_t>(record.change_count);
    }
    // Of an earlier one: whoever compared it may have died before it passed the job on.
    auto* done = std::get_if<queue::Done>(&outcomes[jobs[record.system_id].front()]);
    if (done == nullptr) continue;  // a later record of the system failed; the sweep finds these changes
    done->onward.push_back(notification_job(record.system_id, record.record_id, max_attempts_, now));
  }
  return outcomes;
}

Result<void> DiffWorker::compare(std::vector<SystemId> systems, std::vector<Compared>& compared) {
  while (!systems.empty()) {
    const Time now = clock_.now();
    const auto rules = rules_();
    const Duration window = rules->longest_time_filter();
    std::set<SystemId> again;
    const std::size_t count = std::min(systems.size(), kSystemsPerCall);
    Documents documents(recent_);
    const auto result = store_.compare(
        {.systems = std::span(systems).first(count),
         .max_records = kRecordsPerCall,
         .changed_since = window > Duration::zero() ? std::optional(now - window) : std::nullopt,
         .now = now,
         .has_document = [&](std::string_view hash) { return documents.has(hash); }},
        [&](const ComparisonState& state) {
          ComparisonDecision decision = decide_comparison(*rules, state, documents, now);
          again.erase(state.system_id);
          if (decision.again || state.pending.size() >= kRecordsPerCall) again.insert(state.system_id);
          return std::move(decision.records);
        });
    if (!result) return result.failure();
    compared.insert(compared.end(), result->begin(), result->end());
    systems.erase(systems.begin(), systems.begin() + static_cast<std::ptrdiff_t>(count));
    systems.insert(systems.end(), again.begin(), again.end());
  }
  return {};
}

// Some record's changes are refused by the engine, or end the process, whatever we do. Without this it would
// stand before its successors for ever. A job does not say which record it was: the oldest pending one is
// given up. Whether that was to blame or not, and however often this is asked, no change is lost by it: the
// next record is compared with the one before.
Result<std::map<MessageId, queue::Done>> DiffWorker::bury(std::span<const queue::Message> dead) {
  for (const queue::Message& message : dead) {
    if (message.system_id.empty()) continue;
    const std::vector<SystemId> systems{message.system_id};
    const auto settled = store_.compare(
        {.systems = systems, .max_records = 1, .changed_since = std::nullopt, .now = clock_.now()},
        [](const ComparisonState& state) -> std::vector<RecordDiffs> {
          if (state.pending.empty()) return {};
          return {{state.pending.front().id, std::nullopt, "", {}, true}};
        });
    if (!settled) return settled.failure();
    for (const Compared& record : *settled) {
      if (record.earlier) continue;
      log::error("comparison_given_up", {{"system_id", message.system_id.text()},
                                         {"record_id", static_cast<std::int64_t>(record.record_id)},
                                         {"reason", message.error.value_or("no reason given")}});
    }
  }
  return std::map<MessageId, queue::Done>{};
}

}  // namespace collect::inventory
