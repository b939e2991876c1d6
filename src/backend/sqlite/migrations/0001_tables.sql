-- SPDX-License-Identifier: Apache-2.0
-- The tables that Collect shares with PostgreSQL installations, in SQLite's types. Times are RFC 3339 text in UTC
-- with microseconds ("2026-01-02T03:04:05.678901Z"), booleans 0 and 1, JSON is text.

CREATE TABLE distributors (
    id           TEXT PRIMARY KEY,
    logto_id     TEXT UNIQUE,
    name         TEXT NOT NULL,
    custom_data  TEXT NOT NULL DEFAULT '{}',
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    suspended_at TEXT
) STRICT;

CREATE TABLE resellers (
    id           TEXT PRIMARY KEY,
    logto_id     TEXT UNIQUE,
    name         TEXT NOT NULL,
    custom_data  TEXT NOT NULL DEFAULT '{}',
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    suspended_at TEXT
) STRICT;

CREATE TABLE customers (
    id           TEXT PRIMARY KEY,
    logto_id     TEXT UNIQUE,
    name         TEXT NOT NULL,
    custom_data  TEXT NOT NULL DEFAULT '{}',
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    suspended_at TEXT
) STRICT;

CREATE TABLE systems (
    id                   TEXT PRIMARY KEY,
    name                 TEXT,
    type                 TEXT,
    fqdn                 TEXT,
    ipv4_address         TEXT,
    ipv6_address         TEXT,
    version              TEXT,
    status               TEXT NOT NULL DEFAULT 'unknown'
                         CHECK (status IN ('unknown', 'active', 'inactive', 'deleted')),
    organization_id      TEXT NOT NULL,
    system_key           TEXT NOT NULL UNIQUE,
    system_secret_public TEXT UNIQUE,
    system_secret_sha256 TEXT,
    custom_data          TEXT,
    notes                TEXT,
    created_by           TEXT,
    created_at           TEXT NOT NULL,
    updated_at           TEXT NOT NULL,
    registered_at        TEXT,
    suspended_at         TEXT,
    suspended_by_org_id  TEXT,
    last_inventory_at    TEXT,
    deleted_at           TEXT,
    deleted_by_org_id    TEXT
) STRICT;
CREATE INDEX systems_of_organization ON systems(organization_id);
CREATE INDEX systems_silent ON systems(status) WHERE status IN ('unknown', 'inactive');

CREATE TABLE applications (
    id                TEXT PRIMARY KEY,
    system_id         TEXT NOT NULL REFERENCES systems(id) ON DELETE CASCADE,
    module_id         TEXT NOT NULL,
    instance_of       TEXT NOT NULL,
    name              TEXT,
    source            TEXT,
    display_name      TEXT,
    node_id           INTEGER,
    node_label        TEXT,
    version           TEXT,
    organization_id   TEXT,
    organization_type TEXT,
    status            TEXT NOT NULL DEFAULT 'unassigned',
    inventory_data    TEXT CHECK (json_valid(inventory_data)),
    backup_data       TEXT,
    services_data     TEXT,
    url               TEXT,
    notes             TEXT,
    is_user_facing    INTEGER NOT NULL DEFAULT 1 CHECK (is_user_facing IN (0, 1)),
    created_at        TEXT NOT NULL,
    updated_at        TEXT NOT NULL,
    first_seen_at     TEXT NOT NULL,
    last_inventory_at TEXT,
    deleted_at        TEXT
) STRICT;
CREATE INDEX applications_of_system ON applications(system_id);

CREATE TABLE inventory_records (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    system_id        TEXT NOT NULL REFERENCES systems(id) ON DELETE CASCADE,
    timestamp        TEXT NOT NULL,
    data_hash        TEXT NOT NULL CHECK (length(data_hash) <= 64),
    data_size        INTEGER NOT NULL,
    processed_at     TEXT,
    has_changes      INTEGER NOT NULL DEFAULT 0 CHECK (has_changes IN (0, 1)),
    change_count     INTEGER NOT NULL DEFAULT 0,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    sender_timestamp TEXT,
    derived_hash     TEXT,
    held             TEXT
) STRICT;
CREATE INDEX inventory_records_latest ON inventory_records(system_id, timestamp DESC, id DESC);
CREATE INDEX inventory_records_unprocessed ON inventory_records(system_id, timestamp, id, created_at, processed_at)
    WHERE processed_at IS NULL;

-- The `data` of inventory_records. Apart, because SQLite writes a whole row again when one column changes, and each
-- record is marked as compared soon after it was stored. No json_valid(): documents are checked before they come here.
CREATE TABLE inventory_documents (
    record_id INTEGER PRIMARY KEY REFERENCES inventory_records(id) ON DELETE CASCADE,
    data      TEXT NOT NULL
) STRICT;

CREATE TABLE inventory_diffs (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    system_id         TEXT NOT NULL REFERENCES systems(id) ON DELETE CASCADE,
    previous_id       INTEGER REFERENCES inventory_records(id) ON DELETE SET NULL,
    current_id        INTEGER REFERENCES inventory_records(id) ON DELETE SET NULL,
    diff_type         TEXT NOT NULL CHECK (diff_type IN ('create', 'update', 'delete')),
    category          TEXT NOT NULL,
    severity          TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    field_path        TEXT NOT NULL CHECK (length(field_path) <= 500),
    previous_value    TEXT,
    current_value     TEXT,
    notification_sent INTEGER NOT NULL DEFAULT 0 CHECK (notification_sent IN (0, 1)),
    created_at        TEXT NOT NULL
) STRICT;
-- Also answers which paths changed lately: newest first, until too old. One index less to write for every diff.
CREATE INDEX inventory_diffs_of_system ON inventory_diffs(system_id, id DESC);
CREATE INDEX inventory_diffs_of_record ON inventory_diffs(current_id);
CREATE INDEX inventory_diffs_of_previous ON inventory_diffs(previous_id);
CREATE INDEX inventory_diffs_unsent ON inventory_diffs(current_id, id, created_at) WHERE notification_sent = 0;

CREATE TABLE system_heartbeats (
    id             INTEGER PRIMARY KEY,
    system_id      TEXT NOT NULL UNIQUE REFERENCES systems(id) ON DELETE CASCADE,
    last_heartbeat TEXT NOT NULL,
    status         TEXT,
    metadata       TEXT,
    created_at     TEXT NOT NULL
) STRICT;
-- No index by time: a scan once a minute costs less than moving an entry with every heartbeat.

CREATE TABLE inventory_alerts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    system_id   TEXT NOT NULL REFERENCES systems(id) ON DELETE CASCADE,
    diff_id     INTEGER REFERENCES inventory_diffs(id) ON DELETE SET NULL,
    alert_type  TEXT NOT NULL,
    message     TEXT NOT NULL,
    severity    TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    is_resolved INTEGER NOT NULL DEFAULT 0 CHECK (is_resolved IN (0, 1)),
    resolved_at TEXT,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT;
CREATE INDEX inventory_alerts_of_system ON inventory_alerts(system_id, id DESC);
CREATE INDEX inventory_alerts_of_diff ON inventory_alerts(diff_id);

CREATE TABLE alert_history (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    system_key      TEXT NOT NULL,
    organization_id TEXT,
    alertname       TEXT NOT NULL,
    severity        TEXT,
    status          TEXT NOT NULL,
    fingerprint     TEXT,
    starts_at       TEXT NOT NULL,
    ends_at         TEXT,
    summary         TEXT,
    labels          TEXT NOT NULL DEFAULT '{}',
    annotations     TEXT NOT NULL DEFAULT '{}',
    receiver        TEXT,
    created_at      TEXT NOT NULL
) STRICT;
CREATE INDEX alert_history_of_system ON alert_history(system_key, created_at);

-- One row per inventory message that has its effects: makes a redelivery visible and serves receipts.
CREATE TABLE processed_messages (
    message_id  TEXT PRIMARY KEY,
    system_id   TEXT NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('stored', 'unchanged', 'dead')),
    record_id   INTEGER,
    reason      TEXT,
    received_at TEXT NOT NULL,
    booked_at   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX processed_messages_by_time ON processed_messages(booked_at);

CREATE TABLE collect_state (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
