// SPDX-License-Identifier: Apache-2.0
#include "backend/sqlite/alert_rows.h"

namespace collect::sqlite {

alerts::Alert alert_of(const Cursor& row) {
  alerts::Alert alert;
  alert.id = alerts::AlertId{row.int64(0)};
  alert.system_id = SystemId(row.text(1));
  if (!row.is_null(2)) alert.diff_id = DiffId{row.int64(2)};
  alert.rule = row.text(3);
  alert.alert_type = row.text(4);
  alert.message = row.text(5);
  alert.severity = diff::parse_severity(row.view(6)).value_or(diff::Severity::low);
  alert.is_resolved = row.flag(7);
  alert.resolved_at = row.maybe_time(8);
  alert.created_at = row.time(9);
  alert.updated_at = row.time(10);
  alert.field_path = row.text(11);
  return alert;
}

}  // namespace collect::sqlite
