-- SPDX-License-Identifier: Apache-2.0
-- Uploads of backups that are under way or have just ended, and when each system's next one is expected.

CREATE TABLE backup_reservations (
    object_key      TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    system_id       TEXT NOT NULL,
    size            INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('uploading', 'ending', 'settled')),
    lasts_until     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX backup_reservations_of_organization ON backup_reservations(organization_id);
CREATE INDEX backup_reservations_of_system ON backup_reservations(system_id) WHERE state = 'ending';
CREATE INDEX backup_reservations_lapsing ON backup_reservations(lasts_until);

CREATE TABLE backup_expectations (
    system_id    TEXT PRIMARY KEY,
    last_backup  TEXT NOT NULL,
    expected_by  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX backup_expectations_due ON backup_expectations(expected_by);
