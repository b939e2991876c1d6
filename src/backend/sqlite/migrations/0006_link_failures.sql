-- SPDX-License-Identifier: Apache-2.0
-- The outages of systems that went silent: which alert tells of it, and under what tenant and labels Alertmanagers
-- know it. A row goes when its system is back and its Alertmanager knows.

CREATE TABLE link_failures (
    system_id      TEXT PRIMARY KEY,
    alert_id       INTEGER NOT NULL UNIQUE REFERENCES inventory_alerts(id) ON DELETE CASCADE,
    last_heartbeat TEXT,
    told           INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),
    tenant         TEXT NOT NULL,
    labels         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
