// SPDX-License-Identifier: Apache-2.0
#include "backend/postgres/alert_rows.h"

namespace collect::postgres {

alerts::Alert alert_at(const Rows& rows, int row) {
  alerts::Alert alert;
  alert.id = alerts::AlertId{rows.int64(row, 0)};
  alert.system_id = SystemId(rows.text(row, 1));
  if (!rows.is_null(row, 2)) alert.diff_id = DiffId{rows.int64(row, 2)};
  alert.rule = rows.text(row, 3);
  alert.alert_type = rows.text(row, 4);
  alert.message = rows.text(row, 5);
  alert.severity = diff::parse_severity(rows.view(row, 6)).value_or(diff::Severity::low);
  alert.is_resolved = rows.flag(row, 7);
  alert.resolved_at = rows.maybe_time(row, 8);
  alert.created_at = rows.time(row, 9);
  alert.updated_at = rows.time(row, 10);
  alert.field_path = rows.text(row, 11);
  return alert;
}

}  // namespace collect::postgres
