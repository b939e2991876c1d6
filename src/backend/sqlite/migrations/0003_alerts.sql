-- SPDX-License-Identifier: Apache-2.0
-- Which rule made an alert, and what is to be told of it to whom.

ALTER TABLE inventory_alerts ADD COLUMN rule TEXT;

-- Makes one alert of a rule and a diff, whatever comes twice; rows without a rule or a diff are no part of that. It
-- also finds a diff's alerts, so the index that did goes.
CREATE UNIQUE INDEX inventory_alerts_once ON inventory_alerts(diff_id, rule);
DROP INDEX inventory_alerts_of_diff;

-- What of a system nobody was told about yet, by record.
CREATE INDEX inventory_diffs_unsent_of_system ON inventory_diffs(system_id, current_id) WHERE notification_sent = 0;

CREATE TABLE alert_deliveries (
    id              TEXT PRIMARY KEY,
    channel         TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    system_id       TEXT,
    critical        INTEGER NOT NULL CHECK (critical IN (0, 1)),
    state           TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    error           TEXT NOT NULL DEFAULT '',
    created_at      TEXT NOT NULL,
    next_attempt_at TEXT,
    claimed_until   TEXT,
    sent_at         TEXT
) STRICT, WITHOUT ROWID;
-- What was planned lately for a channel.
CREATE INDEX alert_deliveries_recent ON alert_deliveries(channel, created_at);
-- What is to be tried next; how much is pending and dead.
CREATE INDEX alert_deliveries_open ON alert_deliveries(channel, state, created_at, id) WHERE state <> 'sent';

-- A delivery must not go while notifications are in it: they would be told again.
CREATE TABLE alert_notifications (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    channel         TEXT NOT NULL,
    alert_id        INTEGER NOT NULL REFERENCES inventory_alerts(id) ON DELETE CASCADE,
    news            TEXT NOT NULL CHECK (news IN ('firing', 'resolved')),
    system_id       TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    critical        INTEGER NOT NULL CHECK (critical IN (0, 1)),
    created_at      TEXT NOT NULL,
    delivery_id     TEXT REFERENCES alert_deliveries(id)
) STRICT;
-- What waits for a plan, the oldest of each organization first.
CREATE INDEX alert_notifications_waiting ON alert_notifications(channel, organization_id, critical, created_at, id)
    WHERE delivery_id IS NULL;
-- Whom an alert was told to; and for the foreign key.
CREATE INDEX alert_notifications_of_alert ON alert_notifications(alert_id);
CREATE INDEX alert_notifications_of_delivery ON alert_notifications(delivery_id) WHERE delivery_id IS NOT NULL;
