-- SPDX-License-Identifier: Apache-2.0
-- Collect's own tables.

-- One row for each message whose effects are in the database: a redelivery is recognized, a receipt answered.
CREATE TABLE IF NOT EXISTS processed_messages (
  message_id  text PRIMARY KEY,
  system_id   text NOT NULL,
  outcome     text NOT NULL,
  record_id   bigint,
  reason      text NOT NULL DEFAULT '',
  received_at timestamptz NOT NULL,
  booked_at   timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS processed_messages_by_booked_at ON processed_messages (booked_at);

CREATE TABLE IF NOT EXISTS collect_state (
  key        text PRIMARY KEY,
  value      text NOT NULL,
  updated_at timestamptz NOT NULL
);
