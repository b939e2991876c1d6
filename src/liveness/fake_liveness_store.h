// SPDX-License-Identifier: Apache-2.0
// For tests only: a LivenessStore in memory that can be told to fail.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "liveness/liveness_store.h"

namespace collect::liveness {

class FakeLivenessStore final : public LivenessStore {
 public:
  // While a writer's own thread may be asking.
  void fail_with(std::optional<Failure> with) {
    const std::lock_guard lock(mutex);
    failure = std::move(with);
  }
  Result<void> write(std::span<const Heartbeat> heartbeats) override {
    const std::lock_guard lock(mutex);
    if (failure) return *failure;
    batches.emplace_back(heartbeats.begin(), heartbeats.end());
    for (const Heartbeat& heartbeat : heartbeats) {
      Time& last = last_heartbeat[heartbeat.system_id.text()];
      last = std::max(last, heartbeat.at);
    }
    written.notify_all();
    return {};
  }
  Result<Transitions> apply(Time fresh_since, std::optional<Time> stale_before) override {
    const std::lock_guard lock(mutex);
    if (failure) return *failure;
    Transitions out;
    for (auto& [id, status] : statuses) {
      const auto heartbeat = last_heartbeat.find(id);
      if (heartbeat == last_heartbeat.end()) continue;
      if (status != "active" && heartbeat->second >= fresh_since) {
        status = "active";
        out.activated.emplace_back(id);
      } else if (status == "active" && stale_before && heartbeat->second < *stale_before) {
        status = "inactive";
        out.deactivated.emplace_back(id);
      }
    }
    return out;
  }
  Result<std::optional<Time>> last_run() override {
    const std::lock_guard lock(mutex);
    if (failure) return *failure;
    return noted_run;
  }
  Result<void> note_run(Time now) override {
    const std::lock_guard lock(mutex);
    if (failure) return *failure;
    if (note_failure) return *note_failure;
    noted_run = now;
    return {};
  }

  std::mutex mutex;
  std::condition_variable written;
  std::vector<std::vector<Heartbeat>> batches;
  std::map<std::string, Time> last_heartbeat;   // by system id
  std::map<std::string, std::string> statuses;  // by system id
  std::optional<Time> noted_run;
  std::optional<Failure> failure;       // of every call
  std::optional<Failure> note_failure;  // of note_run() alone
};

}  // namespace collect::liveness
