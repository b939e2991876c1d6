// SPDX-License-Identifier: Apache-2.0
#include "election/runner.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace collect::election {

using std::chrono::milliseconds;

Runner::Runner(TermStore& store, std::string id, Elected elected, Options options)
    : store_(store), id_(std::move(id)), elected_(std::move(elected)), options_(std::move(options)) {}

void Runner::tick(Time now) {
  const auto outcome = attempt(now);
  if (!outcome && !failing_) log::warn("runner_unknown", {{"error", outcome.failure().message}});
  if (outcome && failing_) log::info("runner_known_again");
  failing_ = !outcome.ok();
  // Also while the store is away: then nobody begins a term, but when it is back this process may come last.
  if (left() == milliseconds::zero()) lose("it was not renewed in time");
}

Result<void> Runner::attempt(Time now) {
  std::optional<Term> mine;
  {
    const std::lock_guard lock(mutex_);
    mine = mine_;
  }
  return mine ? renew(*mine, now) : look(now);
}

Result<void> Runner::renew(const Term& mine, Time now) {
  const auto begun = options_.steady();
  const auto renewed = store_.renew(mine, now);
  if (!renewed) return renewed.failure();
  if (*renewed) {
    hold(**renewed, begun);
  } else {
    lose("another process took over");
  }
  return {};
}

Result<void> Runner::look(Time now) {
  // A round of an earlier term may still be under way: with a new term it would pass for a round of that.
  const std::unique_lock none(rounds_, std::try_to_lock);
  if (!none) return {};
  const auto begun = options_.steady();
  const auto current = store_.current();
  if (!current) return current.failure();
  if (!seen_ || *seen_ != *current) {
    seen_ = *current;
    seen_at_ = options_.steady();
  }
  // One's own: the answer to its beginning got lost.
  const bool own = current->runner == id_;
  const bool free = current->runner.empty() || own || (options_.gone && options_.gone(current->runner));
  if (!free && begun - seen_at_ < options_.lease) return {};
  const auto next = store_.begin(*current, id_, now);
  if (!next) return next.failure();
  if (!*next) return {};
  hold(**next, begun);
  ++elected_count_;
  log::info("runner_elected", {{"term", (*next)->number}, {"runner", id_}, {"before", current->runner}});
  if (elected_) elected_(free ? Before::free : Before::silent);
  return {};
}

void Runner::resign(Time now) {
  std::optional<Term> mine;
  {
    const std::lock_guard lock(mutex_);
    mine = std::exchange(mine_, std::nullopt);
  }
  // Where this fails, the next one waits for the lease.
  if (mine) (void)store_.end(*mine, now);
}

bool Runner::run(const std::function<void()>& round) {
  const std::shared_lock here(rounds_);
  if (left() == milliseconds::zero()) return false;
  round();
  return true;
}

void Runner::hold(const Term& term, Steady::time_point since) {
  const std::lock_guard lock(mutex_);
  mine_ = term;
  until_ = since + options_.lease;
}

void Runner::lose(std::string_view reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!mine_) return;
    mine_.reset();
  }
  seen_.reset();
  log::warn("runner_lost", {{"runner", id_}, {"reason", reason}});
}

std::optional<std::int64_t> Runner::term() const {
  const auto now = options_.steady();
  const std::lock_guard lock(mutex_);
  return mine_ && now < until_ ? std::optional(mine_->number) : std::nullopt;
}

milliseconds Runner::left() const {
  const auto now = options_.steady();
  const std::lock_guard lock(mutex_);
  if (!mine_) return milliseconds::zero();
  return std::max(milliseconds::zero(), std::chrono::duration_cast<milliseconds>(until_ - now));
}

}  // namespace collect::election
