// SPDX-License-Identifier: Apache-2.0
// Rows of inventory_alerts, each with the path of its diff.
#pragma once

#include <string>

#include "alerts/alert.h"
#include "backend/sqlite/connection.h"

namespace collect::sqlite {

// The columns that alert_of() reads, from the first column on, and where they come from: inventory_alerts
// `a`.
inline const std::string kAlertColumns =
    "a.id, a.system_id, a.diff_id, a.rule, a.alert_type, a.message, a.severity, a.is_resolved,"
    " a.resolved_at, a.created_at, a.updated_at, d.field_path";
inline constexpr int kAlertColumnCount = 12;
inline const std::string kDiffOfAlert = " LEFT JOIN inventory_diffs d ON d.id = a.diff_id";

alerts::Alert alert_of(const Cursor& row);

}  // namespace collect::sqlite
