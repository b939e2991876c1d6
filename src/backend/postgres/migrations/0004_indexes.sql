-- SPDX-License-Identifier: Apache-2.0
-- Each index with the question that it answers.

-- The latest record of a system, and those before a given one.
CREATE INDEX IF NOT EXISTS collect_records_by_time ON inventory_records (system_id, timestamp DESC, id DESC);
-- What a system has yet to have compared; the sweep reads all of it, which is little.
CREATE INDEX IF NOT EXISTS collect_records_unprocessed ON inventory_records (system_id, timestamp, id)
  WHERE processed_at IS NULL;
-- A system's diffs, newest first.
CREATE INDEX IF NOT EXISTS collect_diffs_by_system ON inventory_diffs (system_id, id DESC);
-- What of a system changed since some time, without touching the diffs themselves.
CREATE INDEX IF NOT EXISTS collect_diffs_by_time ON inventory_diffs (system_id, created_at, field_path);
-- A record's diffs; and both for the foreign keys, when a record is deleted.
CREATE INDEX IF NOT EXISTS collect_diffs_by_current ON inventory_diffs (current_id);
CREATE INDEX IF NOT EXISTS collect_diffs_by_previous ON inventory_diffs (previous_id);
-- Diffs that nobody was told about yet.
CREATE INDEX IF NOT EXISTS collect_diffs_unsent ON inventory_diffs (created_at) WHERE notification_sent = false;
CREATE INDEX IF NOT EXISTS collect_systems_by_organization ON systems (organization_id);
-- Who may wake up. last_heartbeat itself has no index: that would make every heartbeat write one.
CREATE INDEX IF NOT EXISTS collect_systems_asleep ON systems (id)
  WHERE status IN ('unknown', 'inactive') AND deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS collect_applications_by_system ON applications (system_id);
CREATE INDEX IF NOT EXISTS collect_alerts_by_system ON inventory_alerts (system_id, id DESC);
CREATE INDEX IF NOT EXISTS collect_alerts_by_diff ON inventory_alerts (diff_id);
CREATE INDEX IF NOT EXISTS collect_alert_history_by_system ON alert_history (system_key, starts_at);
