-- SPDX-License-Identifier: Apache-2.0
-- The path that an alert is about, so that a change finds the alerts it may resolve without reading all that a system
-- ever had.

ALTER TABLE inventory_alerts ADD COLUMN field_path TEXT;
UPDATE inventory_alerts
   SET field_path = (SELECT d.field_path FROM inventory_diffs d WHERE d.id = inventory_alerts.diff_id)
 WHERE diff_id IS NOT NULL AND rule IS NOT NULL;

CREATE INDEX inventory_alerts_open ON inventory_alerts(system_id, field_path)
  WHERE is_resolved = 0 AND rule IS NOT NULL;
CREATE INDEX inventory_alerts_of_pattern ON inventory_alerts(system_id, field_path) WHERE rule = 'pattern';
