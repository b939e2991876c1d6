-- SPDX-License-Identifier: Apache-2.0
-- Uploads of backups that are under way or have just ended, and when each system's next one is expected.

CREATE TABLE IF NOT EXISTS backup_reservations (
  object_key      text PRIMARY KEY,
  organization_id text NOT NULL,
  system_id       text NOT NULL,
  size            bigint NOT NULL,
  state           text NOT NULL CHECK (state IN ('uploading', 'ending', 'settled')),
  lasts_until     timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS backup_reservations_by_organization ON backup_reservations (organization_id);
CREATE INDEX IF NOT EXISTS backup_reservations_by_system ON backup_reservations (system_id) WHERE state = 'ending';
CREATE INDEX IF NOT EXISTS backup_reservations_lapsing ON backup_reservations (lasts_until);

CREATE TABLE IF NOT EXISTS backup_expectations (
  system_id   text PRIMARY KEY,
  last_backup timestamptz NOT NULL,
  expected_by timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS backup_expectations_due ON backup_expectations (expected_by);
