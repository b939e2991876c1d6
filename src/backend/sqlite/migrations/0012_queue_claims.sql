-- SPDX-License-Identifier: Apache-2.0
-- A claim is a list in its worker's lease. Taking and settling one leaves the messages' rows alone, so that a message
-- is written once and deleted once, and its text needs no table of its own. Depths are kept by who changes them.

ALTER TABLE queue_leases ADD COLUMN messages TEXT NOT NULL DEFAULT '[]';  -- their ids, oldest first
UPDATE queue_leases SET messages = (
  SELECT json_group_array(id) FROM (
    SELECT id FROM queue_messages m WHERE m.stage = queue_leases.stage AND m.worker = queue_leases.worker
    ORDER BY m.position, m.id));

CREATE TABLE queue_lines (
  id INTEGER PRIMARY KEY,
  stage TEXT NOT NULL CHECK (stage IN ('inventory', 'processing', 'notification')),
  state TEXT NOT NULL CHECK (state IN ('ready', 'delayed', 'dead')),  -- what a lease lists is ready
  -- Order within stage and state, the lowest first. Of delayed ones: when they are due, in microseconds since 1970.
  position INTEGER NOT NULL,
  system_id TEXT NOT NULL,
  text BLOB NOT NULL  -- the last: what is asked for without it is found without it
);
INSERT INTO queue_lines(id, stage, state, position, system_id, text)
SELECT m.id, m.stage, iif(m.state = 'claimed', 'ready', m.state), m.position, m.system_id, t.text
FROM queue_messages m JOIN queue_texts t ON t.message_id = m.id;
DROP TABLE queue_texts;
DROP TABLE queue_messages;
ALTER TABLE queue_lines RENAME TO queue_messages;
CREATE INDEX queue_messages_line ON queue_messages(stage, state, position);

DELETE FROM queue_depths WHERE state = 'claimed';
UPDATE queue_depths SET messages = (
  SELECT count(*) FROM queue_messages m WHERE m.stage = queue_depths.stage AND m.state = queue_depths.state);
