-- SPDX-License-Identifier: Apache-2.0
-- What operators page through. Each index with the questions that it answers.

-- A system's diffs, newest first, by day and by kind, and which paths changed since some time, all without touching
-- the diffs themselves: filters and counts read the index alone. It takes the place of two.
CREATE INDEX IF NOT EXISTS collect_diffs_timeline ON inventory_diffs (system_id, created_at DESC, id DESC)
  INCLUDE (current_id, diff_type, category, severity, field_path);
DROP INDEX IF EXISTS collect_diffs_by_system;
DROP INDEX IF EXISTS collect_diffs_by_time;

-- Systems, the oldest first, a page at a time.
CREATE INDEX IF NOT EXISTS collect_systems_by_age ON systems (created_at, id);
