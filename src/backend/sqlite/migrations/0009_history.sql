-- SPDX-License-Identifier: Apache-2.0
-- What operators page through. Each index with the questions that it answers.

-- A system's diffs, newest first, by day and by kind, and which paths changed lately, all without touching the diffs
-- themselves: filters and counts read the index alone. It takes the place of inventory_diffs_of_system.
CREATE INDEX inventory_diffs_timeline
    ON inventory_diffs(system_id, created_at DESC, id DESC, severity, category, diff_type, current_id, field_path);
DROP INDEX inventory_diffs_of_system;

-- Systems, the oldest first, a page at a time.
CREATE INDEX systems_by_age ON systems(created_at, id);
