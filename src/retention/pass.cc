// SPDX-License-Identifier: Apache-2.0
#include "retention/pass.h"

#include <algorithm>

#include "base/log.h"

namespace collect::retention {
namespace {

constexpr std::size_t kSystemsAtOnce = 200;

}  // namespace

Pass::Pass(RetentionStore& store, Remove remove, Time now, std::optional<SystemId> after, Options options)
    : store_(store),
      remove_(std::move(remove)),
      now_(now),
      options_(std::move(options)),
      after_(std::move(after)) {}

Result<Pass::Step> Pass::step() {
  if (current_) return remove_some();
  if (all_systems_) return forget_some();
  if (waiting_.empty()) {
    auto more = store_.systems(after_, kSystemsAtOnce);
    if (!more) return more.failure();
    waiting_.assign(more->begin(), more->end());
    all_systems_ = waiting_.empty();
    return Step::read;
  }
  return next_system();
}

Result<Pass::Step> Pass::next_system() {
  const auto records = store_.records(waiting_.front());
  if (!records) return records.failure();
  leaving_ = expired(*records, now_);
  current_ = std::move(waiting_.front());
  waiting_.pop_front();
  ++tally_.systems;
  tally_.records += records->size();
  if (!leaving_.empty() && options_.found) options_.found(*current_, records->size(), leaving_);
  std::ranges::reverse(leaving_);
  if (options_.mode == Mode::dry) {
    tally_.removed += leaving_.size();
    leaving_.clear();
  }
  if (leaving_.empty()) leave_system();
  return Step::read;
}

Result<Pass::Step> Pass::remove_some() {
  const auto count = std::min(leaving_.size(), options_.records_at_once);
  const auto removed = remove_(*current_, std::span(leaving_).last(count));
  if (!removed && removed.failure().kind == FailureKind::unavailable) return removed.failure();
  if (!removed) {
    log::warn("retention_passed_by", {{"system_id", current_->text()}, {"error", removed.failure().message}});
    ++tally_.failed;
    leave_system();
    return Step::wrote;
  }
  tally_.removed += *removed;
  leaving_.resize(leaving_.size() - count);
  if (leaving_.empty()) leave_system();
  return Step::wrote;
}

void Pass::leave_system() {
  leaving_.clear();
  after_ = std::exchange(current_, std::nullopt);
}

Result<Pass::Step> Pass::forget_some() {
  const bool dry = options_.mode == Mode::dry;
  const auto some =
      dry ? store_.forgettable(horizons(now_)) : store_.forget(horizons(now_), options_.rows_at_once);
  if (!some) return some.failure();
  tally_.forgotten.resolved_alerts += some->resolved_alerts;
  tally_.forgotten.alert_history += some->alert_history;
  tally_.forgotten.deliveries += some->deliveries;
  return dry || some->sum() == 0 ? Step::done : Step::wrote;
}

}  // namespace collect::retention
