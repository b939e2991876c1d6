// SPDX-License-Identifier: Apache-2.0
// POST /api/alert_history: an Alertmanager's webhook, which tells of alerts that are over. Source of the
// body's form: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alertmanager/alert_history_store.h"
#include "base/clock.h"
#include "net/router.h"

namespace collect::alertmanager {

inline constexpr std::size_t kMostHistoryAlerts = 1000;

// The resolved alerts of systems (with a label system_key) in a webhook's body; others are passed over.
// `invalid`: that is no such body, or has too many alerts.
Result<std::vector<HistoryEntry>> read_history(std::string_view body);

// 204; 401 unless the bearer token is `secret`, 503 while `secret` is empty or the store is away. The others
// outlive the endpoint.
net::Endpoint alert_history_endpoint(AlertHistoryStore& store, const Clock& clock, std::string secret);

}  // namespace collect::alertmanager
