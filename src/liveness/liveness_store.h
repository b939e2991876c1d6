// SPDX-License-Identifier: Apache-2.0
// PORT. Heartbeats, and the status that follows from them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace collect::liveness {

struct Heartbeat {
  SystemId system_id;
  Time at{};
};

struct Transitions {
  std::vector<SystemId> activated;    // unknown or inactive before
  std::vector<SystemId> deactivated;  // active before
};

class LivenessStore {
 public:
  virtual ~LivenessStore() = default;
  // Upserts; last_heartbeat never moves backwards; systems that are gone are passed by. One system at most
  // once a call.
  virtual Result<void> write(std::span<const Heartbeat> heartbeats) = 0;

  // Systems that are not deleted: with last_heartbeat >= fresh_since become active; active ones with
  // last_heartbeat < stale_before become inactive (nullopt: nobody does). Only rows that change are written;
  // systems.updated_at stays.
  virtual Result<Transitions> apply(Time fresh_since, std::optional<Time> stale_before) = 0;

  // When the monitor last ran, in any process, ever; and the note that it ran now. Survives restarts.
  virtual Result<std::optional<Time>> last_run() = 0;
  virtual Result<void> note_run(Time now) = 0;
};

}  // namespace collect::liveness
