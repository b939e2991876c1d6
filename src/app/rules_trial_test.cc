// SPDX-License-Identifier: Apache-2.0
#include "app/rules_trial.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "inventory/comparison.h"

namespace collect::app {
namespace {

using inventory::ReplayedRecord;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int kHour = 3600;

Time at(int seconds) {
  return Time(std::chrono::seconds(1'760'000'000 + seconds));
}

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.failure().message);
  return std::move(*result);
}

struct Rules {
  std::shared_ptr<const diff::Rules> changes;
  alerts::NotificationRules alerts;
};

// Everything is told but what `significance` says; alerts are made by `rules` and by patterns.
Rules rules(const std::string& significance, const std::string& rules = "[]", const std::string& more = "") {
  const std::string yaml =
      fmt::format("{}\nsignificance: {{{}}}\nnotifications: {{rules: {}}}\n", more, significance, rules);
  return {std::make_shared<const diff::Rules>(must(diff::Rules::load(yaml, "test.yml"))),
          must(alerts::NotificationRules::load(yaml, "test.yml"))};
}

const Rules kAllTold = rules("never_significant: []");

// What the service stores of one system while some rules are in force: by its own two functions, so that the
// trial is held to them.
class History {
 public:
  explicit History(Rules in_force) : in_force_(std::move(in_force)) {}

  // A record that was received, compared and told at at(seconds).
  void report(const std::string& document, int seconds) { compare({document}, seconds); }

  // Several that were compared in one go.
  void compare(const std::vector<std::string>& documents, int seconds) {
    inventory::ComparisonState state;
    state.baseline = baseline_;
    state.last_changed = last_changed_;
    for (const auto& document : documents) {
      state.pending.push_back({RecordId{next_record_++}, at(seconds), document});
    }
    inventory::Recent recent;
    inventory::Documents parsed(recent);
    const auto decision = inventory::decide_comparison(*in_force_.changes, state, parsed, at(seconds));
    const std::size_t first = records_.size();
    for (std::size_t i = 0; i < documents.size(); ++i) store(state.pending[i], decision.records[i], seconds);
    for (std::size_t i = first; i < records_.size(); ++i) tell(records_[i]);
  }

  void late_report(const std::string& document, int seconds) {
    ReplayedRecord replayed = record_of({RecordId{next_record_++}, at(seconds - 1), document}, seconds);
    replayed.late = true;
    records_.push_back(std::move(replayed));
  }

  // What inventory::replay() makes of it when the retention takes this record.
  void remove(std::size_t index) {
    ReplayedRecord removed = std::move(records_[index]);
    records_.erase(records_.begin() + static_cast<std::ptrdiff_t>(index));
    ReplayedRecord& next = records_.at(index);
    next.after_gap = true;
    next.removed = std::move(removed.diffs);
    for (auto& diff : next.removed) diff.current_id = std::nullopt;
  }
  ReplayedRecord& record(std::size_t index) { return records_.at(index); }

  struct Findings {
    std::map<Fate, std::vector<std::string>> changes;  // "type path"
    std::map<Fate, std::vector<std::string>> alerts;   // "alert_type path"
    std::map<std::string, std::string> reasons;        // by path, of changes
    int records = 0;
    int not_compared = 0;
  };
  // The records from `first` on are the window, the one before them is the baseline.
  [[nodiscard]] Findings try_rules(const Rules& tried, std::size_t first = 0) const {
    Findings found;
    const TrialListener listener{[&](bool compared) {
                                   ++found.records;
                                   if (!compared) ++found.not_compared;
                                 },
                                 [&](const TriedChange& each) {
                                   found.changes[each.fate].push_back(fmt::format(
                                       "{} {}", diff::to_string(each.change.type), each.change.field_path));
                                   found.reasons[each.change.field_path] = each.change.reason;
                                 },
                                 [&](const TriedAlert& each) {
                                   found.alerts[each.fate].push_back(each.alert_type + " " + each.field_path);
                                 }};
    TrialPast past{.diffs = {}, .alerts = alerts_};
    for (std::size_t i = 0; i < first; ++i) {
      past.diffs.insert(past.diffs.end(), records_[i].diffs.begin(), records_[i].diffs.end());
    }
    SystemTrial trial(*tried.changes, tried.alerts, system_, std::move(past), listener);
    if (first > 0) {
      ReplayedRecord baseline = records_[first - 1];
      baseline.baseline = true;
      baseline.diffs.clear();
      trial.next(baseline);
    }
    for (std::size_t i = first; i < records_.size(); ++i) trial.next(records_[i]);
    trial.finish();
    return found;
  }

 private:
  static ReplayedRecord record_of(const inventory::PendingRecord& pending, int seconds) {
    ReplayedRecord replayed;
    replayed.record.id = pending.id;
    replayed.record.timestamp = pending.timestamp;
    replayed.record.processed_at = at(seconds);
    replayed.record.created_at = at(seconds);
    replayed.document = pending.document;
    return replayed;
  }

  void store(const inventory::PendingRecord& pending, const inventory::RecordDiffs& decided, int seconds) {
    ReplayedRecord replayed = record_of(pending, seconds);
    replayed.held = decided.held;
    for (const auto& change : decided.changes) {
      replayed.diffs.push_back({.id = DiffId{next_diff_++},
                                .system_id = system_.id,
                                .previous_id = decided.previous_id,
                                .current_id = decided.record_id,
                                .diff_type = std::string(diff::to_string(change.type)),
                                .category = change.category,
                                .severity = std::string(diff::to_string(change.severity)),
                                .field_path = change.field_path,
                                .previous_value = change.previous_value,
                                .current_value = change.current_value,
                                .notification_sent = true,
                                .created_at = at(seconds)});
      last_changed_[change.field_path] = at(seconds);
      occurrences_[change.field_path].push_back(at(seconds));
    }
    baseline_ = inventory::Baseline{pending.id, pending.timestamp, pending.document, decided.held, ""};
    records_.push_back(std::move(replayed));
  }

  void tell(const ReplayedRecord& replayed) {
    alerts::NotifyState state;
    state.system = system_;
    state.last_pattern = last_pattern_;
    for (const auto& diff : replayed.diffs) {
      state.unsent.push_back({diff.id, replayed.record.id, *diff::parse_change_type(diff.diff_type),
                              diff.category, *diff::parse_severity(diff.severity), diff.field_path,
                              diff.previous_value, diff.current_value, diff.created_at});
      state.occurrences[diff.field_path] = occurrences_[diff.field_path];
    }
    for (const auto& alert : in_force_.alerts.decide(state).alerts) {
      const auto diff = std::ranges::find(replayed.diffs, alert.diff_id, &inventory::Diff::id);
      alerts::Alert stored;
      stored.diff_id = alert.diff_id;
      stored.rule = alert.rule;
      stored.alert_type = alert.alert_type;
      stored.severity = alert.severity;
      stored.field_path = diff->field_path;
      if (alert.rule == alerts::kPatternRule) last_pattern_[diff->field_path] = diff->created_at;
      alerts_.push_back(std::move(stored));
    }
  }

  Rules in_force_;
  systems::System system_;
  std::vector<ReplayedRecord> records_;
  std::vector<alerts::Alert> alerts_;
  std::optional<inventory::Baseline> baseline_;
  diff::LastChanged last_changed_;
  std::map<std::string, std::vector<Time>> occurrences_;
  std::map<std::string, Time, std::less<>> last_pattern_;
  std::int64_t next_record_ = 1;
  std::int64_t next_diff_ = 1;
};

void expect_nothing_differs(const History::Findings& found) {
  for (const Fate fate : {Fate::added, Fate::gone, Fate::regraded}) {
    EXPECT_THAT(found.changes, testing::Not(testing::Contains(Pair(fate, testing::_))));
    EXPECT_THAT(found.alerts, testing::Not(testing::Contains(Pair(fate, testing::_))));
  }
}

History three_states(const Rules& in_force) {
  History history(in_force);
  history.report(R"({"a":1,"b":1})", 10);
  history.report(R"({"a":2,"b":1})", 20);
  history.report(R"({"a":2,"b":2,"c":true})", 30);
  return history;
}

TEST(RulesTrial, TheSameRulesFindTheSame) {
  const auto found = three_states(kAllTold).try_rules(kAllTold);
  EXPECT_EQ(found.records, 3);
  EXPECT_EQ(found.not_compared, 0);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a", "update b", "create c"))));
}

TEST(RulesTrial, AFilterMakesChangesGo) {
  const auto found = three_states(kAllTold).try_rules(rules("never_significant: ['^b$']"));
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a", "create c")),
                                         Pair(Fate::gone, ElementsAre("update b"))));
  EXPECT_EQ(found.reasons.at("b"), "never_significant: ^b$");
}

TEST(RulesTrial, AFilterLessMakesChangesAppear) {
  const auto found = three_states(rules("never_significant: ['^b$']")).try_rules(kAllTold);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a", "create c")),
                                         Pair(Fate::added, ElementsAre("update b"))));
}

TEST(RulesTrial, AnotherSeverityIsNeitherNewNorGone) {
  const Rules tried = rules("never_significant: []", "[]", "severity: {critical: [{paths: ['^a$']}]}");
  const auto found = three_states(kAllTold).try_rules(tried);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update b", "create c")),
                                         Pair(Fate::regraded, ElementsAre("update a"))));
}

TEST(RulesTrial, ThereAndBackAreTwoChanges) {
  History history(kAllTold);
  for (int i = 0; i < 3; ++i) history.report(i == 1 ? R"({"a":"B"})" : R"({"a":"A"})", i * kHour);
  EXPECT_THAT(history.try_rules(kAllTold).changes,
              ElementsAre(Pair(Fate::same, ElementsAre("update a", "update a"))));
  const auto found = history.try_rules(rules("time_filters: [{path: '^a$', window_seconds: 7200}]"));
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a")),
                                         Pair(Fate::gone, ElementsAre("update a"))));
}

TEST(RulesTrial, TimeFiltersSeeWhatChangedBeforeTheWindow) {
  const Rules filtered = rules("time_filters: [{path: '^a$', window_seconds: 7200}]");
  History history(filtered);
  for (int i = 0; i < 5; ++i) history.report(fmt::format(R"({{"a":{}}})", i * 100), i * kHour);
  for (const std::size_t first : {0U, 1U, 2U, 3U}) {
    SCOPED_TRACE(first);
    expect_nothing_differs(history.try_rules(filtered, first));
  }
  EXPECT_THAT(history.try_rules(kAllTold, 2).changes,
              ElementsAre(Pair(Fate::same, ElementsAre("update a")),
                          Pair(Fate::added, ElementsAre("update a", "update a"))));
}

TEST(RulesTrial, LateRecordsAreComparedWithNothing) {
  History history(kAllTold);
  history.report(R"({"a":1})", 10);
  history.late_report(R"({"a":7})", 9);
  history.report(R"({"a":2})", 20);
  const auto found = history.try_rules(kAllTold);
  EXPECT_EQ(found.records, 3);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a"))));
}

TEST(RulesTrial, WhatIsNotComparedYetIsLeftOut) {
  History history = three_states(kAllTold);
  history.record(2).record.processed_at = std::nullopt;
  history.record(2).diffs.clear();
  const auto found = history.try_rules(kAllTold);
  EXPECT_EQ(found.records, 2);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update a"))));
}

constexpr auto kWhole = R"({"installation":"x","facts":{"cluster":{"subscription":"x"},"n":1}})";
constexpr auto kBroken = R"({"installation":"x","facts":{"cluster":null,"n":1}})";

TEST(RulesTrial, PartialReportsAreHeldBackAsTheyWere) {
  History history(kAllTold);
  history.report(kWhole, 10);
  history.report(kBroken, 20);
  history.report(kWhole, 30);
  history.report(kBroken, 40);
  history.report(std::string(kBroken) + " ", 50);
  const auto found = history.try_rules(kAllTold);
  EXPECT_THAT(found.changes, ElementsAre(Pair(Fate::same, ElementsAre("update facts.cluster"))));
  // A window that begins while something is held back.
  expect_nothing_differs(history.try_rules(kAllTold, 2));
  expect_nothing_differs(history.try_rules(kAllTold, 4));

  const auto without = history.try_rules(rules("never_significant: []", "[]", "partial_reports: []"));
  EXPECT_THAT(without.changes.at(Fate::added),
              ElementsAre("update facts.cluster", "update facts.cluster", "update facts.cluster"));
  EXPECT_THAT(without.changes.at(Fate::gone), ElementsAre("update facts.cluster"));
}

TEST(RulesTrial, AChangeInTheSummaryIsGone) {
  History history(kAllTold);
  history.report(R"({"a":1,"b":1,"c":1})", 10);
  history.report(R"({"a":2,"b":2,"c":2})", 20);
  const Rules folding = rules("never_significant: []", "[]", "limits: {max_diffs_per_run: 2}");
  const auto found = history.try_rules(folding);
  EXPECT_THAT(found.changes.at(Fate::same), ElementsAre("update a"));
  EXPECT_THAT(found.changes.at(Fate::added), ElementsAre("update *"));
  EXPECT_THAT(found.changes.at(Fate::gone), UnorderedElementsAre("update b", "update c"));
  EXPECT_EQ(found.reasons.at("b"), "max_diffs_per_run: part of the summary");

  History folded(folding);
  folded.report(R"({"a":1,"b":1,"c":1})", 10);
  folded.report(R"({"a":2,"b":2,"c":2})", 20);
  expect_nothing_differs(folded.try_rules(folding));
}

constexpr auto kAlertOnA = "[{alert_type: a_changed, match: {path: '^a$'}}]";

TEST(RulesTrial, AlertsComeAndGoWithTheirRules) {
  const Rules alerting = rules("never_significant: []", kAlertOnA);
  const History history = three_states(alerting);
  EXPECT_THAT(history.try_rules(alerting).alerts, ElementsAre(Pair(Fate::same, ElementsAre("a_changed a"))));
  EXPECT_THAT(history.try_rules(kAllTold).alerts, ElementsAre(Pair(Fate::gone, ElementsAre("a_changed a"))));
  EXPECT_THAT(history
                  .try_rules(rules("never_significant: []",
                                   "[{alert_type: a_changed, name: renamed, match: {path: '^a$'}},"
                                   " {alert_type: b_changed, match: {path: '^b$'}}]"))
                  .alerts,
              ElementsAre(Pair(Fate::same, ElementsAre("a_changed a")),
                          Pair(Fate::added, ElementsAre("b_changed b"))));
  EXPECT_THAT(history
                  .try_rules(rules("never_significant: []",
                                   "[{alert_type: a_changed, match: {path: '^a$'}, severity: high}]"))
                  .alerts,
              ElementsAre(Pair(Fate::regraded, ElementsAre("a_changed a"))));
}

TEST(RulesTrial, AlertsComeAndGoWithTheirChanges) {
  const auto alert_on_b = "[{alert_type: b_changed, match: {path: '^b$'}}]";
  const Rules quiet = rules("never_significant: ['^b$']", alert_on_b);
  const Rules loud = rules("never_significant: []", alert_on_b);
  EXPECT_THAT(three_states(quiet).try_rules(loud).alerts,
              ElementsAre(Pair(Fate::added, ElementsAre("b_changed b"))));
  EXPECT_THAT(three_states(loud).try_rules(quiet).alerts,
              ElementsAre(Pair(Fate::gone, ElementsAre("b_changed b"))));
}

TEST(RulesTrial, AlertsThatAreStillToBeMadeAreNotCompared) {
  History history = three_states(kAllTold);
  for (auto& diff : history.record(1).diffs) diff.notification_sent = false;
  EXPECT_THAT(history.try_rules(rules("never_significant: []", kAlertOnA)).alerts, IsEmpty());
}

TEST(RulesTrial, PatternsSeeWhatChangedBeforeTheWindow) {
  History history(kAllTold);
  for (int i = 0; i < 40; ++i) history.report(fmt::format(R"({{"a":"{}"}})", i), i * kHour);
  EXPECT_THAT(history.try_rules(kAllTold).alerts,
              ElementsAre(Pair(Fate::same, ElementsAre("flapping a", "flapping a"))));
  for (const std::size_t first : {2U, 3U, 4U, 20U, 27U, 28U}) {
    SCOPED_TRACE(first);
    expect_nothing_differs(history.try_rules(kAllTold, first));
  }
}

TEST(RulesTrial, RecordsOfOneGoAreOneMomentOfAPattern) {
  History history(kAllTold);
  history.report(R"({"a":"0"})", 10);
  history.compare({R"({"a":"1"})", R"({"a":"2"})", R"({"a":"3"})"}, 20);
  expect_nothing_differs(history.try_rules(kAllTold));
  EXPECT_THAT(history.try_rules(kAllTold).alerts, ElementsAre(Pair(Fate::same, ElementsAre("flapping a"))));
}

TEST(RulesTrial, AcrossAGapChangesStayAndAlertsAreTried) {
  const Rules alerting = rules("never_significant: []", "[{alert_type: c_new, match: {path: '^c$'}}]");
  History history = three_states(alerting);
  history.report(R"({"a":3,"b":2,"c":true})", 40);
  history.remove(1);
  expect_nothing_differs(history.try_rules(alerting));
  const auto found = history.try_rules(rules("never_significant: [a, b]", kAlertOnA));
  EXPECT_EQ(found.not_compared, 1);
  EXPECT_THAT(found.changes,
              ElementsAre(Pair(Fate::gone, ElementsAre("update a")),
                          Pair(Fate::unknown, ElementsAre("update a", "update b", "create c"))));
  EXPECT_THAT(found.alerts, ElementsAre(Pair(Fate::added, ElementsAre("a_changed a")),
                                        Pair(Fate::gone, ElementsAre("c_new c"))));
}

TEST(RulesTrial, AGapInAPartialReportLeavesItHeldBack) {
  History history(kAllTold);
  history.report(kWhole, 10);
  history.report(R"({"installation":"x","facts":{"cluster":{"subscription":"x"},"n":2}})", 20);
  history.report(kBroken, 30);
  history.report(kWhole, 40);
  history.remove(1);
  expect_nothing_differs(history.try_rules(kAllTold));
}

TEST(RulesTrial, AnUnreadableRecordIsComparedWithNothing) {
  History history(kAllTold);
  history.report(R"({"a":1})", 10);
  history.report("no JSON", 20);
  history.report(R"({"a":2})", 30);
  history.report(R"({"a":3})", 40);
  EXPECT_THAT(history.try_rules(kAllTold).changes, ElementsAre(Pair(Fate::same, ElementsAre("update a"))));
}

}  // namespace
}  // namespace collect::app
