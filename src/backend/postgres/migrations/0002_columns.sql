-- SPDX-License-Identifier: Apache-2.0
-- What a table that somebody else made may lack, or be too strict about. In our own tables this finds nothing
-- to do.

DO $$
DECLARE
  wanted text[] := ARRAY[
    'distributors: logto_id text, name text, custom_data jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, suspended_at timestamptz',
    'resellers: logto_id text, name text, custom_data jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, suspended_at timestamptz',
    'customers: logto_id text, name text, custom_data jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, suspended_at timestamptz',
    'systems: name text, type text, fqdn text, ipv4_address inet, ipv6_address inet, version text, status text NOT NULL DEFAULT ''unknown'', organization_id text, system_key text, system_secret_public text, system_secret_sha256 text, custom_data jsonb, notes text, created_by jsonb, created_at timestamptz, updated_at timestamptz, registered_at timestamptz, suspended_at timestamptz, suspended_by_org_id text, last_inventory_at timestamptz, deleted_at timestamptz, deleted_by_org_id text',
    'applications: module_id text, instance_of text, name text, source text, display_name text, node_id integer, node_label text, version text, organization_id text, organization_type text, status text DEFAULT ''unassigned'', inventory_data jsonb, backup_data jsonb, services_data jsonb, url text, notes text, is_user_facing boolean NOT NULL DEFAULT true, created_at timestamptz, updated_at timestamptz, first_seen_at timestamptz, last_inventory_at timestamptz, deleted_at timestamptz',
    'inventory_records: timestamp timestamptz, data jsonb, data_hash varchar(64), data_size bigint, processed_at timestamptz, has_changes boolean NOT NULL DEFAULT false, change_count integer NOT NULL DEFAULT 0, created_at timestamptz, updated_at timestamptz, sender_timestamp timestamptz, derived_hash text, held text',
    'inventory_diffs: previous_id bigint, current_id bigint, diff_type text, category text, severity text, field_path varchar(500), previous_value jsonb, current_value jsonb, notification_sent boolean NOT NULL DEFAULT false, created_at timestamptz',
    'system_heartbeats: last_heartbeat timestamptz, status text DEFAULT ''active'', metadata jsonb, created_at timestamptz',
    'inventory_alerts: diff_id bigint, alert_type text, message text, severity text, is_resolved boolean NOT NULL DEFAULT false, resolved_at timestamptz, created_at timestamptz, updated_at timestamptz',
    'alert_history: system_key text, organization_id text, alertname text, severity text, status text, fingerprint text, starts_at timestamptz, ends_at timestamptz, summary text, labels jsonb, annotations jsonb, receiver text, created_at timestamptz'
  ];
  -- Where Collect has to be able to say "not known".
  nullable text[] := ARRAY[
    'systems.name', 'systems.type', 'systems.fqdn', 'systems.ipv4_address', 'systems.ipv6_address',
    'systems.version', 'systems.system_secret_public', 'systems.system_secret_sha256', 'systems.notes',
    'systems.registered_at', 'systems.suspended_at', 'systems.suspended_by_org_id', 'systems.last_inventory_at',
    'systems.deleted_at', 'systems.deleted_by_org_id',
    'distributors.logto_id', 'resellers.logto_id', 'customers.logto_id',
    'applications.display_name', 'applications.node_id', 'applications.node_label',
    'applications.organization_id', 'applications.organization_type', 'applications.backup_data',
    'applications.services_data', 'applications.url', 'applications.notes', 'applications.deleted_at',
    'inventory_records.processed_at',
    'inventory_diffs.previous_id', 'inventory_diffs.current_id', 'inventory_diffs.previous_value',
    'inventory_diffs.current_value',
    'system_heartbeats.metadata', 'inventory_alerts.diff_id', 'inventory_alerts.resolved_at',
    'alert_history.organization_id', 'alert_history.severity', 'alert_history.fingerprint',
    'alert_history.starts_at', 'alert_history.ends_at', 'alert_history.summary', 'alert_history.receiver'
  ];
  line text;
  item text;
BEGIN
  -- Diffs that are older than the column are no news to anybody.
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_diffs')
                 AND attname = 'notification_sent' AND NOT attisdropped) THEN
    ALTER TABLE inventory_diffs ADD COLUMN notification_sent boolean NOT NULL DEFAULT true;
    ALTER TABLE inventory_diffs ALTER COLUMN notification_sent SET DEFAULT false;
  END IF;
  FOREACH line IN ARRAY wanted LOOP
    FOREACH item IN ARRAY string_to_array(split_part(line, ': ', 2), ', ') LOOP
      -- Asked first, because ALTER TABLE locks the table even where it finds nothing to do.
      IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(split_part(line, ':', 1))
                     AND attname = split_part(item, ' ', 1) AND NOT attisdropped) THEN
        EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS %s', split_part(line, ':', 1), item);
      END IF;
    END LOOP;
  END LOOP;
  FOREACH item IN ARRAY nullable LOOP
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(split_part(item, '.', 1))
               AND attname = split_part(item, '.', 2) AND attnotnull AND NOT attisdropped) THEN
      EXECUTE format('ALTER TABLE %I ALTER COLUMN %I DROP NOT NULL', split_part(item, '.', 1),
                     split_part(item, '.', 2));
    END IF;
  END LOOP;
END $$;
