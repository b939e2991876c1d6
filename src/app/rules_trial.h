// SPDX-License-Identifier: Apache-2.0
// A system's stored history under other rules: which changes and alerts they would add, and which would be
// missing. Pure: no I/O, no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert_store.h"
#include "alerts/notification_rules.h"
#include "base/json.h"
#include "diff/rules.h"
#include "inventory/replay.h"
#include "systems/system.h"

namespace collect::app {

// What became of a change or an alert. `regraded`: told in both cases, with another severity or category.
// `unknown`: stored, and there is nothing to work it out from again.
enum class Fate : std::uint8_t { same, regraded, added, gone, unknown };

struct TriedChange {
  Fate fate = Fate::same;
  RecordId record_id{};
  Time at{};            // when it was stored, or would have been
  diff::Change change;  // as the rules make it, or as it was stored if they do not; `reason` says why
  std::string was_category;
  std::string was_severity;
};

struct TriedAlert {
  Fate fate = Fate::same;
  RecordId record_id{};
  Time at{};  // of its change
  std::string alert_type;
  std::string rule;
  std::string severity;
  std::string was_severity;
  std::string message;
  std::string field_path;
  std::string reason;
};

// What one system's trial says. All in the order of its records.
struct TrialListener {
  std::function<void(bool compared)> record;  // each that the rules were tried on
  std::function<void(TriedChange)> change;
  std::function<void(TriedAlert)> alert;
};

// What is stored of the system beside the replayed records.
struct TrialPast {
  std::vector<inventory::Diff> diffs;  // of the time before, for time_filters and patterns; by id
  std::vector<alerts::Alert> alerts;   // of the diffs above and of the replayed ones; read after those
};

// One system: give it the records as replay() shows them, then call finish(). Holds one document, the
// changes of the records that were stored in one go, and what the past says of each path.
class SystemTrial {
 public:
  // `rules`, `notifications` and `listener` outlive it.
  SystemTrial(const diff::Rules& rules, const alerts::NotificationRules& notifications,
              systems::System system, TrialPast past, const TrialListener& listener);

  void next(const inventory::ReplayedRecord& replayed);
  void finish();

 private:
  struct Told {  // a change that the alert rules are asked about
    alerts::StoredDiff diff;
    Fate fate;
  };
  struct Batch {  // of one record
    std::vector<Told> told;
    std::vector<inventory::Diff> gone;
    bool settled = true;  // its alerts are stored
  };

  void compare(const inventory::ReplayedRecord& replayed);
  // Takes what is stored for what the rules say.
  void keep(RecordId record_id, const std::vector<inventory::Diff>& diffs);
  // The stored one that the change is, taken out of `stored`.
  static std::optional<inventory::Diff> take(std::vector<inventory::Diff>& stored,
                                             const diff::Change& change);
  void tell(Batch& batch, RecordId record_id, Time at, diff::Change change,
            const std::optional<inventory::Diff>& stored);
  void decide_alerts();
  alerts::NotifyState state_of(const Batch& batch) const;
  void match_alerts(const Batch& batch, const alerts::NotifyPlan& plan);
  void lost_alerts(DiffId diff_id, RecordId record_id, Time at, std::string_view reason);

  const diff::Rules& rules_;
  const alerts::NotificationRules& notifications_;
  const TrialListener& listener_;
  systems::System system_;
  std::map<DiffId, std::vector<alerts::Alert>> alerts_;  // by their diff

  std::shared_ptr<const json::Document> previous_;
  std::string held_;
  diff::LastChanged last_changed_;

  // Records that were compared in one go see each other's changes in their alerts, so they wait here.
  std::vector<Batch> batches_;
  Time batch_time_{};
  std::map<std::string, std::vector<Time>, std::less<>> occurrences_;
  std::map<std::string, Time, std::less<>> last_pattern_;
  std::int64_t next_new_id_ = -1;  // no stored diff has one like it
};

}  // namespace collect::app
