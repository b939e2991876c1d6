// SPDX-License-Identifier: Apache-2.0
#include "retention/sweeper.h"

#include "base/log.h"

namespace collect::retention {
namespace {

// How soon it is noticed that a pass is due.
constexpr std::chrono::seconds kLook{60};
constexpr std::string_view kAfter = " after ";
constexpr std::string_view kDone = " done";

struct Progress {
  Time began{};
  std::optional<SystemId> after;
  bool done = false;
};

std::string to_text(const Progress& progress) {
  auto text = to_rfc3339(progress.began);
  if (progress.done) return text.append(kDone);
  if (progress.after) text.append(kAfter).append(progress.after->text());
  return text;
}

// nullopt: nobody wrote that here; a pass begun anew does no harm.
std::optional<Progress> from_text(std::string_view text) {
  const auto blank = std::min(text.find(' '), text.size());
  const auto began = parse_rfc3339(text.substr(0, blank));
  if (!began) return std::nullopt;
  const auto rest = text.substr(blank);
  Progress progress{*began, std::nullopt, rest == kDone};
  if (rest.starts_with(kAfter)) progress.after = SystemId(std::string(rest.substr(kAfter.size())));
  return progress;
}

}  // namespace

Sweeper::Sweeper(RetentionStore& store, Remove remove, const Clock& clock, Options options)
    : store_(store), remove_(std::move(remove)), clock_(clock), options_(std::move(options)) {}

void Sweeper::tick() {
  const std::lock_guard lock(mutex_);
  const auto outcome = attempt();
  if (!outcome && !failing_) log::warn("retention_failed", {{"error", outcome.failure().message}});
  if (outcome && failing_) log::info("retention_recovered");
  failing_ = !outcome.ok();
}

void Sweeper::leave() {
  const std::lock_guard lock(mutex_);
  pass_.reset();
  next_look_ = {};
}

Result<void> Sweeper::attempt() {
  if (!pass_) {
    const auto begun = begin(clock_.now());
    if (!begun) return begun.failure();
    if (!*begun) return {};
  }
  return work();
}

Result<bool> Sweeper::begin(Time now) {
  // A clock that was put back must not stop it until that time comes again.
  if (now < next_look_ && next_look_ - now <= kLook) return false;
  const auto noted = store_.progress();
  if (!noted) return noted.failure();
  next_look_ = now + kLook;
  const auto last = *noted ? from_text((*noted)->progress) : std::nullopt;
  const bool fresh = last && last->began <= now && now - last->began < options_.interval;
  if (fresh && last->done) return false;
  began_ = fresh ? last->began : now;
  pass_.emplace(store_, remove_, now, fresh ? last->after : std::nullopt, options_.pass);
  return true;
}

Result<void> Sweeper::work() {
  const auto until = std::chrono::steady_clock::now() + options_.slice;
  const auto already = pass_->tally();
  Result<Pass::Step> step = Pass::Step::read;
  do {
    step = pass_->step();
  } while (step && *step != Pass::Step::done && std::chrono::steady_clock::now() < until);
  count(already, pass_->tally());
  if (!step) return step.failure();
  const bool done = *step == Pass::Step::done;
  auto noted = store_.note_progress(to_text({began_, pass_->after(), done}), clock_.now());
  if (noted && done) end();
  return noted;
}

void Sweeper::count(const Tally& before, const Tally& after) {
  counters_.records += after.removed - before.removed;
  counters_.resolved_alerts += after.forgotten.resolved_alerts - before.forgotten.resolved_alerts;
  counters_.alert_history += after.forgotten.alert_history - before.forgotten.alert_history;
  counters_.deliveries += after.forgotten.deliveries - before.forgotten.deliveries;
}

void Sweeper::end() {
  const Tally& tally = pass_->tally();
  ++counters_.passes;
  log::info("retention_done", {{"systems", tally.systems},
                               {"records", tally.records},
                               {"removed", tally.removed},
                               {"resolved_alerts", tally.forgotten.resolved_alerts},
                               {"alert_history", tally.forgotten.alert_history},
                               {"deliveries", tally.forgotten.deliveries}});
  pass_.reset();
}

}  // namespace collect::retention
