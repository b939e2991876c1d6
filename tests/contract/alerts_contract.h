// SPDX-License-Identifier: Apache-2.0
// What the contract tests of AlertStore and NotificationStore share: systems that changed, and decisions
// about it.
#pragma once

#include <string>
#include <vector>

#include "contract/store_contract.h"

namespace collect::test {

class AlertsContract : public StoreContract {
 protected:
  // A new record of that system, whose comparison found these changes at at(seconds).
  RecordId changed(std::string_view system, std::vector<diff::Change> changes, std::int64_t seconds);
  // `since` is at(0).
  Result<alerts::Notified> notify(std::string_view system, const std::vector<RecordId>& records,
                                  std::int64_t seconds, const alerts::DecideNotify& decide);
  // changed() and notify() in one, a second later: one alert for each path, as one_each() makes them.
  void alert(std::string_view system, const std::vector<std::string>& paths, std::int64_t seconds,
             diff::Severity severity, std::vector<std::string> channels);
  std::vector<alerts::ListedAlert> listed(const alerts::AlertFilter& filter = {});
  // A customer with one system of that word.
  void add_organization_with_system(const std::string& organization, std::string_view system);

 private:
  int messages_ = 0;
};

// An alert of `rule` for each unsent diff: type "change", message "<path> changed".
inline alerts::DecideNotify one_each(std::string rule, diff::Severity severity,
                                     std::vector<std::string> channels) {
  return [=](const alerts::NotifyState& state) {
    alerts::NotifyPlan plan;
    for (const auto& diff : state.unsent) {
      plan.alerts.push_back({diff.id, rule, "change", diff.field_path + " changed", severity, channels});
    }
    return plan;
  };
}

// For where nobody is to be asked.
inline alerts::NotifyPlan nobody_asks(const alerts::NotifyState&) {
  ADD_FAILURE() << "asked";
  return {};
}

inline alerts::NotifyPlan no_alert(const alerts::NotifyState&) {
  return {};
}

}  // namespace collect::test
