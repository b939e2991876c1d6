// SPDX-License-Identifier: Apache-2.0
// One way through all systems, in bounded steps: what their table (keep.h) no longer keeps is taken out, then
// what is forgotten everywhere. It may stop after any step and be begun again from there or anew: what is
// done is not found again.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>

#include "retention/retention_store.h"

namespace collect::retention {

// Deletes these records of a system in one transaction; how many of them were there.
using Remove = std::function<Result<std::uint64_t>(const SystemId&, std::span<const RecordId>)>;

struct Tally {
  std::uint64_t systems = 0;  // looked at to their end
  std::uint64_t records = 0;  // that those had
  std::uint64_t removed = 0;  // of them; in a dry pass: that would go
  std::uint64_t failed = 0;   // systems of which some could not be removed, for a reason that stays
  Forgotten forgotten;
};

class Pass {
 public:
  enum class Mode { sweep, dry };  // dry: nothing is written, and `remove` never called
  struct Options {
    Mode mode = Mode::sweep;
    std::size_t records_at_once = 100;
    std::size_t rows_at_once = 500;  // of what is forgotten
    // Told of each system that has something to go, before it goes; `expired` from the oldest on.
    std::function<void(const SystemId&, std::uint64_t records, std::span<const RecordId> expired)> found = {};
  };
  // The store outlives it. `now`: what ages are counted from. `after`: the last system that is done.
  Pass(RetentionStore& store, Remove remove, Time now, std::optional<SystemId> after, Options options);

  enum class Step { read, wrote, done };
  // A failure leaves it where it was. Where a system's own records are at fault, that is logged, and the next
  // system comes.
  Result<Step> step();

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const std::optional<SystemId>& after() const { return after_; }

 private:
  Result<Step> next_system();
  Result<Step> remove_some();
  Result<Step> forget_some();
  void leave_system();

  RetentionStore& store_;
  const Remove remove_;
  const Time now_;
  const Options options_;
  Tally tally_;
  std::optional<SystemId> after_;
  std::deque<SystemId> waiting_;
  std::vector<RecordId> leaving_;    // of current_, oldest last
  std::optional<SystemId> current_;  // the one after after_, while it has some
  bool all_systems_ = false;
};

}  // namespace collect::retention
