-- SPDX-License-Identifier: Apache-2.0
-- The outages of systems that went silent: which alert tells of it, and under what tenant and labels Alertmanagers
-- know it. A row goes when its system is back and its Alertmanager knows.

CREATE TABLE IF NOT EXISTS link_failures (
  system_id      text PRIMARY KEY,
  alert_id       bigint NOT NULL UNIQUE REFERENCES inventory_alerts (id) ON DELETE CASCADE,
  last_heartbeat timestamptz,
  told           boolean NOT NULL DEFAULT false,
  tenant         text NOT NULL,
  labels         jsonb NOT NULL
);
