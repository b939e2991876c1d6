-- SPDX-License-Identifier: Apache-2.0
-- The path that an alert is about, so that a change finds the alerts it may resolve without reading all that a system
-- ever had.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_alerts')
                 AND attname = 'field_path' AND NOT attisdropped) THEN
    ALTER TABLE inventory_alerts ADD COLUMN field_path text;
  END IF;
END $$;
UPDATE inventory_alerts a SET field_path = d.field_path FROM inventory_diffs d
 WHERE d.id = a.diff_id AND a.rule IS NOT NULL AND a.field_path IS NULL;

CREATE INDEX IF NOT EXISTS collect_alerts_open ON inventory_alerts (system_id)
  WHERE is_resolved = false AND rule IS NOT NULL;
CREATE INDEX IF NOT EXISTS collect_alerts_of_pattern ON inventory_alerts (system_id, field_path)
  WHERE rule = 'pattern';
