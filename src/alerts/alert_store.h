// SPDX-License-Identifier: Apache-2.0
// PORT. Stored diffs become alerts here, once, and operators look at them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "base/count.h"
#include "base/result.h"

namespace collect::alerts {

// An alert that is not resolved, with the change that it tells.
struct OpenAlert {
  AlertId id{};
  std::string rule;
  diff::ChangeType type = diff::ChangeType::update;
  std::string field_path;
  std::optional<std::string> previous_value;  // JSON text
};

// The path is that place, or leads into it: "facts.nodes.2.version" lies in "facts.nodes.2".
bool lies_in(std::string_view path, std::string_view place);

// When a path that a pattern alert was about had changed.
using LastPatterns = std::map<std::string, Time, std::less<>>;
// The last one was less than `window` before this change: no other follows yet.
bool pattern_rests(const LastPatterns& last, const StoredDiff& diff, Duration window);

// What the store knows about one system whose diffs are to be told.
struct NotifyState {
  systems::System system;
  std::vector<StoredDiff> unsent;  // of the records asked for, notification_sent = false; by id
  // Unresolved alerts with a rule and a diff, whose field_path lies in one of `unsent`'s; by id.
  std::vector<OpenAlert> open;
  // For each field_path of `unsent`: created_at of the diff of the newest alert whose rule is kPatternRule,
  // if there is one.
  LastPatterns last_pattern;
  // For each of paths_to_count(): when it changed, by created_at of the system's stored diffs at or after
  // `since`, these included; oldest first. Empty where all of its changes are older.
  std::map<std::string, std::vector<Time>, std::less<>> occurrences;
};

// The field_paths of `unsent`, each once, by name.
std::vector<std::string> changed_paths(const NotifyState& state);
// Those of them about which a pattern alert may follow: it does not rest at one of the changes. So of a path
// that flaps all day, its changes are read once a day and not with each.
std::vector<std::string> paths_to_count(const NotifyState& state, Duration window);

struct Resolved {
  AlertId id{};
  std::vector<std::string> channels;  // to be told
};
struct NotifyPlan {
  std::vector<NewAlert> alerts;
  std::vector<Resolved> resolved;  // among NotifyState::open
};
using DecideNotify = std::function<NotifyPlan(const NotifyState&)>;

struct NotifyQuestion {
  SystemId system_id;
  std::vector<RecordId> records;
  Time since{};  // how far back `occurrences` goes
  Time now{};
  bool out_of_order = false;  // although earlier records wait
  Duration window{};          // of paths_to_count()
};
struct Notified {
  std::size_t diffs = 0;   // marked as sent
  std::size_t alerts = 0;  // new rows
  std::size_t resolved = 0;
  std::optional<RecordId> earlier = {};  // this one first: nothing happened
};

struct UnsentRecord {
  SystemId system_id;
  RecordId record_id{};
};

// Unset members do not filter. Newest first, by id.
struct AlertFilter {
  std::optional<SystemId> system_id = {};
  std::optional<OrganizationId> organization_id = {};
  std::optional<std::string> alert_type = {};
  std::optional<diff::Severity> least_severity = {};
  std::optional<bool> resolved = {};
  std::optional<Time> since = {};         // created_at at or after
  std::optional<AlertId> before = {};     // id below: the next page
  std::size_t skip = 0;                   // so many of the first
  std::optional<std::size_t> limit = {};  // none: all
};
// The words of these severities and of all above, for AlertFilter::least_severity.
std::vector<std::string> severities_from(diff::Severity least);
struct ListedAlert {
  Alert alert;
  std::string system_key;
  std::string system_name;  // empty: null
};

// With the change that it tells, unless it has none.
struct ShownAlert : ListedAlert {
  std::optional<diff::ChangeType> type;
  std::optional<std::string> previous_value;  // JSON text
  std::optional<std::string> current_value;
};

class AlertStore {
 public:
  virtual ~AlertStore() = default;

  // One transaction for all questions, which are answered in their order, each seeing what those before it
  // wrote; ordered by system, so that two callers do not wait for each other in a circle. For each, with the
  // system locked: reads, asks, then writes the alerts (created_at = now; an alert of the same rule and diff
  // that stands already stays as it is and tells nobody again), resolves, queues one notification for each
  // new alert or resolution and channel (alert_notifications), and sets notification_sent on all of `unsent`.
  // A system that is not there, or has nothing unsent: nothing happens and `decide` is not asked. Nor while
  // an earlier record of the system than all of `records` has unsent diffs: a change must not be told before
  // the one that it undoes. The first of them is named. `invalid`: the engine refuses some value; ask one by
  // one to find out which.
  virtual Result<std::vector<Notified>> notify_all(std::span<const NotifyQuestion> questions,
                                                   const DecideNotify& decide) = 0;
  Result<Notified> notify(const NotifyQuestion& question, const DecideNotify& decide) {
    auto notified = notify_all({&question, 1}, decide);
    if (!notified) return notified.failure();
    return notified->front();
  }
  // Records with unsent diffs created before `before`, of systems that are there: for the sweep.
  virtual Result<std::vector<UnsentRecord>> unfinished(Time before, std::size_t limit) = 0;

  // One transaction: an alert without a diff, unless one of that rule stands unresolved for the system; its
  // channels are told. False: one stands, or there is no such system.
  virtual Result<bool> raise(const StandingAlert& alert, Time now) = 0;

  // For operators. Deleted systems' alerts are listed too.
  virtual Result<std::vector<ListedAlert>> list(const AlertFilter& filter) = 0;
  // How long list() is without `before`, `skip` and `limit`, up to kCounted.
  virtual Result<Count> count(const AlertFilter& filter) = 0;
  virtual Result<std::optional<ShownAlert>> find(AlertId id) = 0;
  // False: it was resolved already. Those that the alert was told to, by channel and organization, are told
  // of this. `not_found`.
  virtual Result<bool> resolve(AlertId id, Time now) = 0;
};

}  // namespace collect::alerts
