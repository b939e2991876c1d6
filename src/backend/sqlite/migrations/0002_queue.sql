-- SPDX-License-Identifier: Apache-2.0
-- The queues of the embedded engine: every message is one row in one state. The texts, often large, stand apart, so
-- that a message changes its state without its text being written again.
CREATE TABLE queue_messages (
  id INTEGER PRIMARY KEY,
  stage TEXT NOT NULL CHECK (stage IN ('inventory', 'processing', 'notification')),
  state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'delayed', 'dead')),
  -- Order within stage and state, the lowest first. Of delayed ones: when they are due, in microseconds since 1970.
  position INTEGER NOT NULL,
  system_id TEXT NOT NULL,
  worker TEXT CHECK ((worker IS NOT NULL) = (state = 'claimed'))
);
CREATE INDEX queue_messages_line ON queue_messages(stage, state, position, id);
CREATE INDEX queue_messages_claims ON queue_messages(stage, worker, position, id) WHERE worker IS NOT NULL;
CREATE INDEX queue_messages_busy ON queue_messages(stage, system_id, worker) WHERE worker IS NOT NULL;

CREATE TABLE queue_texts (
  message_id INTEGER PRIMARY KEY REFERENCES queue_messages(id) DEFERRABLE INITIALLY DEFERRED,
  text BLOB NOT NULL
);

CREATE TABLE queue_leases (
  stage TEXT NOT NULL,
  worker TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  adopted INTEGER NOT NULL,
  PRIMARY KEY (stage, worker)
) WITHOUT ROWID;
CREATE INDEX queue_leases_expiry ON queue_leases(stage, expires_at);

CREATE TABLE queue_strikes (
  stage TEXT NOT NULL,
  text_hash TEXT NOT NULL,
  strikes INTEGER NOT NULL,
  PRIMARY KEY (stage, text_hash)
) WITHOUT ROWID;

-- How many messages there are, kept by triggers: counting rows would cost more the deeper a queue is.
CREATE TABLE queue_depths (
  stage TEXT NOT NULL,
  state TEXT NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY (stage, state)
) WITHOUT ROWID;
INSERT INTO queue_depths(stage, state, messages)
SELECT stages.column1, states.column1, 0
FROM (VALUES ('inventory'), ('processing'), ('notification')) AS stages,
     (VALUES ('ready'), ('claimed'), ('delayed'), ('dead')) AS states;

CREATE TRIGGER queue_messages_came AFTER INSERT ON queue_messages BEGIN
  UPDATE queue_depths SET messages = messages + 1 WHERE stage = NEW.stage AND state = NEW.state;
END;
CREATE TRIGGER queue_messages_went AFTER DELETE ON queue_messages BEGIN
  UPDATE queue_depths SET messages = messages - 1 WHERE stage = OLD.stage AND state = OLD.state;
END;
CREATE TRIGGER queue_messages_moved AFTER UPDATE OF state ON queue_messages WHEN NEW.state <> OLD.state BEGIN
  UPDATE queue_depths SET messages = messages - 1 WHERE stage = OLD.stage AND state = OLD.state;
  UPDATE queue_depths SET messages = messages + 1 WHERE stage = NEW.stage AND state = NEW.state;
END;
