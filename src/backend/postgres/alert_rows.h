// SPDX-License-Identifier: Apache-2.0
// Rows of inventory_alerts, each with the path of its diff.
#pragma once

#include <string_view>

#include "alerts/alert.h"
#include "backend/postgres/rows.h"

namespace collect::postgres {

// The columns that alert_at() reads, from the first column on, and where they come from: inventory_alerts
// `a`.
inline constexpr std::string_view kAlertColumns =
    "a.id, a.system_id, a.diff_id, a.rule, a.alert_type, a.message, a.severity, a.is_resolved, "
    "a.resolved_at, a.created_at, coalesce(a.updated_at, a.created_at), d.field_path";
inline constexpr int kAlertColumnCount = 12;
inline constexpr std::string_view kDiffOfAlert = "LEFT JOIN inventory_diffs d ON d.id = a.diff_id";

alerts::Alert alert_at(const Rows& rows, int row);

}  // namespace collect::postgres
