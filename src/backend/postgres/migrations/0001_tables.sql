-- SPDX-License-Identifier: Apache-2.0
-- The tables that other programs read and write too. Where they stand already they stay as they are; columns
-- that are missing there come with 0002.

CREATE TABLE IF NOT EXISTS distributors (
  id           text PRIMARY KEY,
  logto_id     text UNIQUE,
  name         text NOT NULL,
  custom_data  jsonb NOT NULL DEFAULT '{}',
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  deleted_at   timestamptz,
  suspended_at timestamptz
);
CREATE TABLE IF NOT EXISTS resellers (LIKE distributors INCLUDING ALL);
CREATE TABLE IF NOT EXISTS customers (LIKE distributors INCLUDING ALL);

-- A part of each page stays free, so that the frequent updates (last_inventory_at) stay on it and leave the
-- indexes alone.
CREATE TABLE IF NOT EXISTS systems (
  id                   varchar(255) PRIMARY KEY,
  name                 text,
  type                 text,
  fqdn                 text,
  ipv4_address         inet,
  ipv6_address         inet,
  version              text,
  status               text NOT NULL DEFAULT 'unknown',
  organization_id      text NOT NULL,
  system_key           text NOT NULL UNIQUE,
  system_secret_public text UNIQUE,
  system_secret_sha256 text,
  custom_data          jsonb,
  notes                text,
  created_by           jsonb,
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL,
  registered_at        timestamptz,
  suspended_at         timestamptz,
  suspended_by_org_id  text,
  last_inventory_at    timestamptz,
  deleted_at           timestamptz,
  deleted_by_org_id    text
) WITH (fillfactor = 80);

-- The system's id has whatever type it has in a database that was taken over.
DO $$
DECLARE
  id_type text := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                   WHERE attrelid = to_regclass('systems') AND attname = 'id');
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS applications (
    id                text PRIMARY KEY,
    system_id         %s NOT NULL,
    module_id         text NOT NULL,
    instance_of       text,
    name              text,
    source            text,
    display_name      text,
    node_id           integer,
    node_label        text,
    version           text,
    organization_id   text,
    organization_type text,
    status            text NOT NULL DEFAULT ''unassigned'',
    inventory_data    jsonb,
    backup_data       jsonb,
    services_data     jsonb,
    url               text,
    notes             text,
    is_user_facing    boolean NOT NULL DEFAULT true,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    first_seen_at     timestamptz,
    last_inventory_at timestamptz,
    deleted_at        timestamptz
  )', id_type);

  EXECUTE format('CREATE TABLE IF NOT EXISTS inventory_records (
    id           bigserial PRIMARY KEY,
    system_id    %s NOT NULL,
    timestamp    timestamptz NOT NULL,
    data         jsonb NOT NULL,
    data_hash    varchar(64) NOT NULL,
    data_size    bigint NOT NULL,
    processed_at timestamptz,
    has_changes  boolean NOT NULL DEFAULT false,
    change_count integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
  )', id_type);

  EXECUTE format('CREATE TABLE IF NOT EXISTS inventory_diffs (
    id                bigserial PRIMARY KEY,
    system_id         %s NOT NULL,
    previous_id       bigint REFERENCES inventory_records (id) ON DELETE SET NULL,
    current_id        bigint REFERENCES inventory_records (id) ON DELETE SET NULL,
    diff_type         text NOT NULL,
    category          text NOT NULL,
    severity          text NOT NULL,
    field_path        varchar(500) NOT NULL,
    previous_value    jsonb,
    current_value     jsonb,
    notification_sent boolean NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL
  )', id_type);

  -- One small row a system, written at every heartbeat: half of each page is for the next version.
  EXECUTE format('CREATE TABLE IF NOT EXISTS system_heartbeats (
    id             bigserial PRIMARY KEY,
    system_id      %s NOT NULL UNIQUE REFERENCES systems (id) ON DELETE CASCADE,
    last_heartbeat timestamptz NOT NULL,
    status         text NOT NULL DEFAULT ''active'',
    metadata       jsonb,
    created_at     timestamptz NOT NULL
  ) WITH (fillfactor = 50)', id_type);

  EXECUTE format('CREATE TABLE IF NOT EXISTS inventory_alerts (
    id          bigserial PRIMARY KEY,
    system_id   %s NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
    diff_id     bigint REFERENCES inventory_diffs (id) ON DELETE SET NULL,
    alert_type  text NOT NULL,
    message     text NOT NULL,
    severity    text NOT NULL,
    is_resolved boolean NOT NULL DEFAULT false,
    resolved_at timestamptz,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
  )', id_type);
END $$;

CREATE TABLE IF NOT EXISTS alert_history (
  id              bigserial PRIMARY KEY,
  system_key      text NOT NULL,
  organization_id text,
  alertname       text NOT NULL,
  severity        text,
  status          text NOT NULL,
  fingerprint     text,
  starts_at       timestamptz,
  ends_at         timestamptz,
  summary         text,
  labels          jsonb NOT NULL DEFAULT '{}',
  annotations     jsonb NOT NULL DEFAULT '{}',
  receiver        text,
  created_at      timestamptz NOT NULL
);
