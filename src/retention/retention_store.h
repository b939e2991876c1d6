// SPDX-License-Identifier: Apache-2.0
// PORT. What is stored, as far as its age matters, and what of it is forgotten. Records are taken out
// elsewhere (Remove in sweeper.h), because their documents may stand on each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "retention/keep.h"

namespace collect::retention {

struct Forgotten {
  std::uint64_t resolved_alerts = 0;
  std::uint64_t alert_history = 0;
  std::uint64_t deliveries = 0;
  [[nodiscard]] std::uint64_t sum() const { return resolved_alerts + alert_history + deliveries; }
};

// How far the sweep is, in the words of sweeper.h, and when that was noted.
struct Noted {
  std::string progress;
  Time at{};
  bool operator==(const Noted&) const = default;
};

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // Systems that have records, deleted and vanished ones too, in the order of the engine, from the one after
  // `after` on (nullopt: from the first).
  virtual Result<std::vector<SystemId>> systems(const std::optional<SystemId>& after, std::size_t limit) = 0;
  // All records of a system, in no order. None of what it says of one that is not pending and has no untold
  // diffs ever changes, except that it may be received again as long as it is the latest.
  virtual Result<std::vector<StoredRecord>> records(const SystemId& system_id) = 0;

  // How much forget() has to do.
  virtual Result<Forgotten> forgettable(const Horizons& horizons) = 0;
  // In one transaction, of each kind at most `limit`, the oldest first: resolved alerts (what is to be told
  // of them goes along), alert history, and deliveries that are not pending and whose alerts are all gone.
  virtual Result<Forgotten> forget(const Horizons& horizons, std::size_t limit) = 0;

  // What was noted last, in any process, ever; nullopt: nothing.
  virtual Result<std::optional<Noted>> progress() = 0;
  virtual Result<void> note_progress(std::string_view progress, Time now) = 0;
};

}  // namespace collect::retention
