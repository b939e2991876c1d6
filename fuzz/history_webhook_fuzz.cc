// SPDX-License-Identifier: Apache-2.0
// alertmanager/alert_history_api: an Alertmanager's webhook.
#include "alertmanager/alert_history_api.h"
#include "fuzz/alertmanager.h"

namespace collect::fuzz {

void run(std::string_view input) {
  const auto entries = alertmanager::read_history(input);
  if (!entries) {
    hold(entries.failure().kind == FailureKind::invalid, "what is refused is the sender's fault");
    return;
  }
  hold(is_storable_json(input), "what is taken is JSON");
  hold(entries->size() <= alertmanager::kMostHistoryAlerts, "there are not too many");
  for (const auto& entry : *entries) {
    hold(!entry.system_key.empty(), "an entry is some system's");
    hold(entry.status == "resolved", "an entry is over");
    for (const std::string& object : {entry.labels, entry.annotations}) {
      hold(is_storable_json(object) && object.starts_with('{'), "labels and annotations are objects");
    }
  }
}

}  // namespace collect::fuzz
