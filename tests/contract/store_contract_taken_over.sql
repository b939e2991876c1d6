-- SPDX-License-Identifier: Apache-2.0
-- Tables as another program may have made them: uuid ids, narrow columns, stricter nullability, columns that
-- Collect does not know, columns that it misses, a unique index that must go.
CREATE TABLE customers (id uuid PRIMARY KEY, logto_id varchar(255) UNIQUE, name varchar(255) NOT NULL, description text,
  custom_data jsonb, created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), deleted_at timestamptz);
CREATE TABLE resellers (LIKE customers INCLUDING ALL);
CREATE TABLE systems (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(255) NOT NULL, type varchar(100), fqdn varchar(255),
  ipv4_address inet, ipv6_address inet, version varchar(100), status varchar(50) NOT NULL DEFAULT 'unknown',
  organization_id varchar(255) NOT NULL, system_key varchar(255) NOT NULL, system_secret varchar(512),
  custom_data jsonb NOT NULL, notes text NOT NULL DEFAULT '', created_by jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz);
CREATE UNIQUE INDEX any_name_for_the_key ON systems (system_key);
CREATE TABLE inventory_records (
  id bigserial PRIMARY KEY, system_id uuid NOT NULL REFERENCES systems (id) ON DELETE CASCADE, "timestamp" timestamp NOT NULL,
  data jsonb NOT NULL, data_hash varchar(64) NOT NULL, data_size bigint NOT NULL,
  compressed boolean NOT NULL DEFAULT false, processed_at timestamptz, has_changes boolean NOT NULL DEFAULT false,
  change_count integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(), CONSTRAINT one_state_once UNIQUE (system_id, data_hash));
CREATE UNIQUE INDEX the_same_again ON inventory_records (data_hash, system_id);
CREATE TABLE inventory_diffs (
  id bigserial PRIMARY KEY, system_id uuid NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
  previous_id bigint REFERENCES inventory_records (id),
  current_id bigint NOT NULL REFERENCES inventory_records (id) ON DELETE CASCADE,
  diff_type varchar(50) NOT NULL CHECK (diff_type IN ('create', 'update', 'delete')), category varchar(100) NOT NULL,
  severity varchar(50) NOT NULL, field_path varchar(500) NOT NULL, previous_value jsonb, current_value jsonb,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE system_heartbeats (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), system_id uuid NOT NULL UNIQUE REFERENCES systems (id) ON DELETE CASCADE,
  last_heartbeat timestamptz NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE applications (
  id varchar(255) PRIMARY KEY, system_id uuid NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
  module_id varchar(100) NOT NULL, instance_of varchar(100) NOT NULL, display_name varchar(255) NOT NULL,
  node_id integer, node_label varchar(255), version varchar(100), organization_id varchar(255),
  organization_type varchar(50), status varchar(50) NOT NULL DEFAULT 'unassigned', inventory_data jsonb,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  first_seen_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz, UNIQUE (system_id, module_id));
CREATE TABLE inventory_alerts (
  id bigserial PRIMARY KEY, system_id uuid NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
  diff_id bigint REFERENCES inventory_diffs (id) ON DELETE CASCADE, alert_type varchar(50) NOT NULL,
  message text NOT NULL, severity varchar(50) NOT NULL, is_resolved boolean NOT NULL DEFAULT false,
  resolved_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
