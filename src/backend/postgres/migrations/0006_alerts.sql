-- SPDX-License-Identifier: Apache-2.0
-- Which rule made an alert, and what is to be told of it to whom.

-- Null: another program made it.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_alerts')
                 AND attname = 'rule' AND NOT attisdropped) THEN
    ALTER TABLE inventory_alerts ADD COLUMN rule text;
  END IF;
END $$;

-- Makes one alert of a rule and a diff, whatever comes twice; rows without a rule or a diff are no part of that.
-- It also finds a diff's alerts, so the index that did goes.
CREATE UNIQUE INDEX IF NOT EXISTS collect_alerts_once ON inventory_alerts (diff_id, rule);
DROP INDEX IF EXISTS collect_alerts_by_diff;

-- What of a system nobody was told about yet, by record.
CREATE INDEX IF NOT EXISTS collect_diffs_unsent_by_system ON inventory_diffs (system_id, current_id)
  WHERE notification_sent = false;

CREATE TABLE IF NOT EXISTS alert_deliveries (
  id              text PRIMARY KEY,
  channel         text NOT NULL,
  organization_id text NOT NULL,
  system_id       text,
  critical        boolean NOT NULL,
  state           text NOT NULL,
  attempts        integer NOT NULL DEFAULT 0,
  error           text NOT NULL DEFAULT '',
  created_at      timestamptz NOT NULL,
  next_attempt_at timestamptz,
  claimed_until   timestamptz,
  sent_at         timestamptz
);
-- What was planned lately for a channel.
CREATE INDEX IF NOT EXISTS alert_deliveries_recent ON alert_deliveries (channel, created_at);
-- What is to be tried next; how much is pending and dead.
CREATE INDEX IF NOT EXISTS alert_deliveries_open ON alert_deliveries (channel, state, created_at, id)
  WHERE state <> 'sent';

-- A delivery must not go while notifications are in it: they would be told again.
CREATE TABLE IF NOT EXISTS alert_notifications (
  id              bigserial PRIMARY KEY,
  channel         text NOT NULL,
  alert_id        bigint NOT NULL REFERENCES inventory_alerts (id) ON DELETE CASCADE,
  news            text NOT NULL,
  system_id       text NOT NULL,
  organization_id text NOT NULL,
  critical        boolean NOT NULL,
  created_at      timestamptz NOT NULL,
  delivery_id     text REFERENCES alert_deliveries (id)
);
-- What waits for a plan, the oldest of each organization first.
CREATE INDEX IF NOT EXISTS alert_notifications_waiting
  ON alert_notifications (channel, organization_id, critical, created_at, id) WHERE delivery_id IS NULL;
-- Whom an alert was told to; and for the foreign key.
CREATE INDEX IF NOT EXISTS alert_notifications_by_alert ON alert_notifications (alert_id);
CREATE INDEX IF NOT EXISTS alert_notifications_by_delivery ON alert_notifications (delivery_id)
  WHERE delivery_id IS NOT NULL;
