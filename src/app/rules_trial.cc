// SPDX-License-Identifier: Apache-2.0
#include "app/rules_trial.h"

#include <algorithm>
#include <utility>

#include "diff/differ.h"

namespace collect::app {
namespace {

using alerts::Alert;
using inventory::Diff;

constexpr std::string_view kSummaryPath = "*";

diff::Change change_of(const Diff& stored, std::string reason) {
  diff::Change change;
  change.type = diff::parse_change_type(stored.diff_type).value_or(diff::ChangeType::update);
  change.field_path = stored.field_path;
  change.category = stored.category;
  change.severity = diff::parse_severity(stored.severity).value_or(diff::Severity::low);
  change.previous_value = stored.previous_value;
  change.current_value = stored.current_value;
  change.reason = std::move(reason);
  return change;
}

bool is_it(const Diff& stored, const diff::Change& change) {
  return stored.field_path == change.field_path && stored.diff_type == diff::to_string(change.type);
}

// Why the rules do not tell a change that was told.
std::string why_gone(const Diff& stored, const std::vector<diff::Change>& changes, bool holds_back) {
  const auto found =
      std::ranges::find_if(changes, [&](const diff::Change& change) { return is_it(stored, change); });
  if (found != changes.end() && !found->significant) return found->reason;
  const bool folded = std::ranges::any_of(changes, [](const diff::Change& change) {
    return change.significant && change.field_path == kSummaryPath;
  });
  if (folded) return "max_diffs_per_run: part of the summary";
  if (holds_back) return "partial_reports: held back, or under another path";
  return "no difference under this path";
}

// A text that cannot be read is compared with nothing, and nothing with it.
std::shared_ptr<const json::Document> read(const std::string& text) {
  auto document = json::Document::parse_checked(text);
  return document ? std::make_shared<const json::Document>(*std::move(document)) : nullptr;
}

}  // namespace

SystemTrial::SystemTrial(const diff::Rules& rules, const alerts::NotificationRules& notifications,
                         systems::System system, TrialPast past, const TrialListener& listener)
    : rules_(rules), notifications_(notifications), listener_(listener), system_(std::move(system)) {
  for (Alert& alert : past.alerts) {
    // Those of other programs are no rule's.
    if (alert.diff_id && !alert.rule.empty()) alerts_[*alert.diff_id].push_back(std::move(alert));
  }
  for (const Diff& diff : past.diffs) {
    last_changed_[diff.field_path] = diff.created_at;
    occurrences_[diff.field_path].push_back(diff.created_at);
    const auto told = alerts_.find(diff.id);
    if (told == alerts_.end()) continue;
    const bool pattern = std::ranges::any_of(
        told->second, [](const Alert& alert) { return alert.rule == alerts::kPatternRule; });
    if (pattern) last_pattern_[diff.field_path] = diff.created_at;
  }
}

void SystemTrial::next(const inventory::ReplayedRecord& replayed) {
  if (replayed.baseline) {
    previous_ = read(replayed.document);
    held_ = replayed.held;
    return;
  }
  // Nothing has been told of it so far.
  if (!replayed.record.processed_at) return;
  if (replayed.late) {
    listener_.record(true);
    return;
  }
  if (*replayed.record.processed_at != batch_time_) decide_alerts();
  batch_time_ = *replayed.record.processed_at;
  listener_.record(!replayed.after_gap);
  if (!replayed.after_gap) return compare(replayed);
  keep(replayed.record.id, replayed.removed);
  keep(replayed.record.id, replayed.diffs);
  previous_ = read(replayed.document);
  held_ = replayed.held;
}

void SystemTrial::finish() {
  decide_alerts();
}

void SystemTrial::compare(const inventory::ReplayedRecord& replayed) {
  const Time at = *replayed.record.processed_at;
  auto current = read(replayed.document);
  diff::Comparison compared;
  if (previous_ && current) {
    compared = diff::compare(rules_, {.previous = previous_->root(),
                                      .current = current->root(),
                                      .held = held_,
                                      .last_changed = &last_changed_,
                                      .now = at,
                                      .partial = diff::Partial::hold});
  }
  Batch batch;
  std::vector<Diff> stored = replayed.diffs;
  batch.settled = std::ranges::all_of(stored, &Diff::notification_sent);
  for (const diff::Change& change : compared.changes) {
    if (change.significant) tell(batch, replayed.record.id, at, change, take(stored, change));
  }
  for (const Diff& diff : stored) {
    listener_.change({.fate = Fate::gone,
                      .record_id = replayed.record.id,
                      .at = diff.created_at,
                      .change = change_of(diff, why_gone(diff, compared.changes, !compared.held.empty())),
                      .was_category = diff.category,
                      .was_severity = diff.severity});
  }
  batch.gone = std::move(stored);
  batches_.push_back(std::move(batch));
  held_ = std::move(compared.held);
  previous_ = std::move(current);
}

void SystemTrial::keep(RecordId record_id, const std::vector<Diff>& diffs) {
  if (diffs.empty()) return;
  Batch batch;
  batch.settled = std::ranges::all_of(diffs, &Diff::notification_sent);
  for (const Diff& diff : diffs) {
    auto change = change_of(diff, "the record before it is no longer stored");
    last_changed_[diff.field_path] = diff.created_at;
    occurrences_[diff.field_path].push_back(diff.created_at);
    batch.told.push_back({{diff.id, record_id, change.type, change.category, change.severity,
                           change.field_path, change.previous_value, change.current_value, diff.created_at},
                          Fate::unknown});
    listener_.change({.fate = Fate::unknown,
                      .record_id = record_id,
                      .at = diff.created_at,
                      .change = std::move(change),
                      .was_category = diff.category,
                      .was_severity = diff.severity});
  }
  batches_.push_back(std::move(batch));
}

std::optional<Diff> SystemTrial::take(std::vector<Diff>& stored, const diff::Change& change) {
  const auto found =
      std::ranges::find_if(stored, [&](const Diff& candidate) { return is_it(candidate, change); });
  if (found == stored.end()) return std::nullopt;
  Diff taken = std::move(*found);
  stored.erase(found);
  return taken;
}

void SystemTrial::tell(Batch& batch, RecordId record_id, Time at, diff::Change change,
                       const std::optional<Diff>& stored) {
  last_changed_[change.field_path] = at;
  occurrences_[change.field_path].push_back(at);
  TriedChange tried{.fate = Fate::added, .record_id = record_id, .at = at, .change = std::move(change)};
  if (stored) {
    tried.was_category = stored->category;
    tried.was_severity = stored->severity;
    const bool graded_alike = tried.was_category == tried.change.category &&
                              tried.was_severity == diff::to_string(tried.change.severity);
    tried.fate = graded_alike ? Fate::same : Fate::regraded;
  }
  batch.told.push_back({{stored ? stored->id : DiffId{next_new_id_--}, record_id, tried.change.type,
                         tried.change.category, tried.change.severity, tried.change.field_path,
                         tried.change.previous_value, tried.change.current_value, at},
                        tried.fate});
  listener_.change(std::move(tried));
}

void SystemTrial::decide_alerts() {
  for (const Batch& batch : batches_) {
    alerts::NotifyPlan plan;
    if (!batch.told.empty()) plan = notifications_.decide(state_of(batch));
    for (const auto& alert : plan.alerts) {
      if (alert.rule != alerts::kPatternRule) continue;
      const auto told = std::ranges::find(batch.told, alert.diff_id, [](const Told& t) { return t.diff.id; });
      last_pattern_[told->diff.field_path] = told->diff.created_at;
    }
    if (batch.settled) match_alerts(batch, plan);
  }
  batches_.clear();
}

alerts::NotifyState SystemTrial::state_of(const Batch& batch) const {
  alerts::NotifyState state;
  state.system = system_;
  for (const Told& told : batch.told) {
    const std::string& path = told.diff.field_path;
    state.unsent.push_back(told.diff);
    const auto& times = occurrences_.find(path)->second;
    const Time since = told.diff.created_at - notifications_.pattern_window();
    const auto first = std::ranges::lower_bound(times, since);
    state.occurrences[path].assign(first, times.end());
    if (const auto last = last_pattern_.find(path); last != last_pattern_.end()) {
      state.last_pattern[path] = last->second;
    }
  }
  return state;
}

void SystemTrial::match_alerts(const Batch& batch, const alerts::NotifyPlan& plan) {
  for (const Told& told : batch.told) {
    auto& stored = alerts_[told.diff.id];
    for (const alerts::NewAlert& alert : plan.alerts) {
      if (alert.diff_id != told.diff.id) continue;
      TriedAlert tried{.fate = Fate::added,
                       .record_id = told.diff.record_id,
                       .at = told.diff.created_at,
                       .alert_type = alert.alert_type,
                       .rule = alert.rule,
                       .severity = std::string(diff::to_string(alert.severity)),
                       .was_severity = {},
                       .message = alert.message,
                       .field_path = told.diff.field_path,
                       .reason = told.fate == Fate::added ? "its change is new" : "the rule is new for it"};
      const auto same = std::ranges::find(stored, alert.alert_type, &Alert::alert_type);
      if (same != stored.end()) {
        tried.was_severity = diff::to_string(same->severity);
        tried.fate = same->severity == alert.severity ? Fate::same : Fate::regraded;
        tried.reason = "";
        stored.erase(same);
      }
      listener_.alert(std::move(tried));
    }
    lost_alerts(told.diff.id, told.diff.record_id, told.diff.created_at, "no rule makes it");
  }
  for (const Diff& diff : batch.gone) {
    lost_alerts(diff.id, *diff.current_id, diff.created_at, "its change is gone");
  }
}

void SystemTrial::lost_alerts(DiffId diff_id, RecordId record_id, Time at, std::string_view reason) {
  const auto lost = alerts_.extract(diff_id);
  if (!lost) return;
  for (const Alert& alert : lost.mapped()) {
    const std::string severity(diff::to_string(alert.severity));
    listener_.alert({Fate::gone, record_id, at, alert.alert_type, alert.rule, severity, severity,
                     alert.message, alert.field_path, std::string(reason)});
  }
}

}  // namespace collect::app
