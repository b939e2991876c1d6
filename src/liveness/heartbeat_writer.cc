// SPDX-License-Identifier: Apache-2.0
#include "liveness/heartbeat_writer.h"

#include <algorithm>
#include <span>

#include "base/log.h"

namespace collect::liveness {

HeartbeatWriter::HeartbeatWriter(LivenessStore& store, Options options)
    : store_(store), options_(options), ticker_("heartbeat_writer", options.interval, [this] {
        [[maybe_unused]] const auto logged_already = flush();
      }) {}

HeartbeatWriter::~HeartbeatWriter() {
  if (const auto flushed = flush(); !flushed) {
    log::warn("heartbeats_lost_at_stop", {{"heartbeats", waiting()}, {"error", flushed.failure().message}});
  }
}

void HeartbeatWriter::note(const SystemId& system_id, Time at) {
  ++counters_.noted;
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, fresh] = pending_.try_emplace(system_id, at);
    if (!fresh) entry->second = std::max(entry->second, at);
    full = fresh && pending_.size() == options_.batch;
  }
  if (full) ticker_.poke();
}

std::size_t HeartbeatWriter::waiting() const {
  const std::lock_guard lock(mutex_);
  return pending_.size();
}

Result<void> HeartbeatWriter::flush() {
  const std::lock_guard writing(writing_);
  Pending pending;
  {
    const std::lock_guard lock(mutex_);
    pending.swap(pending_);
  }
  std::vector<Heartbeat> heartbeats;
  heartbeats.reserve(pending.size());
  for (const auto& [system_id, at] : pending) heartbeats.push_back({system_id, at});
  // Processes that write the same rows in the same order do not deadlock.
  std::sort(heartbeats.begin(), heartbeats.end(),
            [](const Heartbeat& a, const Heartbeat& b) { return a.system_id < b.system_id; });

  std::span<const Heartbeat> rest = heartbeats;
  Result<void> outcome;
  while (!rest.empty() && outcome) {
    const auto batch = rest.first(std::min(rest.size(), options_.batch));
    outcome = store_.write(batch);
    if (outcome) {
      counters_.written += batch.size();
      rest = rest.subspan(batch.size());
      continue;
    }
    ++counters_.failures;
    if (outcome.failure().kind == FailureKind::unavailable) break;
    log::error("heartbeats_dropped", {{"heartbeats", batch.size()}, {"error", outcome.failure().message}});
    counters_.dropped += batch.size();
    rest = rest.subspan(batch.size());
    outcome = {};
  }
  keep(rest);
  report(outcome);
  return outcome;
}

void HeartbeatWriter::keep(std::span<const Heartbeat> heartbeats) {
  const std::lock_guard lock(mutex_);
  for (const Heartbeat& heartbeat : heartbeats) {
    const auto [entry, fresh] = pending_.try_emplace(heartbeat.system_id, heartbeat.at);
    if (!fresh) entry->second = std::max(entry->second, heartbeat.at);
  }
}

void HeartbeatWriter::report(const Result<void>& outcome) {
  if (outcome.ok() == !failing_) return;
  failing_ = !outcome.ok();
  if (failing_) {
    log::warn("heartbeats_kept_back", {{"heartbeats", waiting()}, {"error", outcome.failure().message}});
  } else {
    log::info("heartbeats_written_again");
  }
}

}  // namespace collect::liveness
