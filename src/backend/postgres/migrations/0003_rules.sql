-- SPDX-License-Identifier: Apache-2.0
-- Constraints and storage that Collect relies on, whoever made the tables.

-- A system may return to an earlier state, and that is a record of its own: (system_id, data_hash) is not
-- unique. Whoever looks records up by it keeps an index.
DO $$
DECLARE
  found record;
  replaced boolean := false;
BEGIN
  FOR found IN
    SELECT i.indexrelid::regclass AS index_name, c.conname
    FROM pg_index i
    LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
    WHERE i.indrelid = to_regclass('inventory_records') AND i.indisunique
      AND (SELECT array_agg(a.attname::text ORDER BY a.attname)
           FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS k(number)
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number)
          = ARRAY['data_hash', 'system_id']
  LOOP
    IF found.conname IS NULL THEN
      EXECUTE format('DROP INDEX %s', found.index_name);
    ELSE
      EXECUTE format('ALTER TABLE inventory_records DROP CONSTRAINT %I', found.conname);
    END IF;
    replaced := true;
  END LOOP;
  IF replaced THEN
    CREATE INDEX IF NOT EXISTS collect_records_by_hash ON inventory_records (system_id, data_hash);
  END IF;
END $$;

-- Diffs outlive the records that they compare: a foreign key that would delete them, or forbid deleting the
-- record, gives way to one that forgets the record.
DO $$
DECLARE
  item text;
  found record;
BEGIN
  FOREACH item IN ARRAY ARRAY['previous_id', 'current_id'] LOOP
    FOR found IN
      SELECT c.conname FROM pg_constraint c
      JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
      WHERE c.conrelid = to_regclass('inventory_diffs') AND c.contype = 'f' AND a.attname = item
        AND c.confrelid = to_regclass('inventory_records') AND c.confdeltype <> 'n'
    LOOP
      EXECUTE format('ALTER TABLE inventory_diffs DROP CONSTRAINT %I', found.conname);
      EXECUTE format('ALTER TABLE inventory_diffs ADD CONSTRAINT %I FOREIGN KEY (%I) '
                     'REFERENCES inventory_records (id) ON DELETE SET NULL', found.conname, item);
    END LOOP;
  END LOOP;
END $$;

-- What Collect's upserts need to be unique.
DO $$
DECLARE
  item text;
BEGIN
  FOREACH item IN ARRAY ARRAY['systems.system_key', 'system_heartbeats.system_id', 'applications.id'] LOOP
    IF NOT EXISTS (
      SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = to_regclass(split_part(item, '.', 1)) AND i.indisunique AND i.indnkeyatts = 1
        AND i.indpred IS NULL AND i.indimmediate AND a.attname = split_part(item, '.', 2)) THEN
      EXECUTE format('CREATE UNIQUE INDEX %I ON %I (%I)', 'collect_' || replace(item, '.', '_'),
                     split_part(item, '.', 1), split_part(item, '.', 2));
    END IF;
  END LOOP;
END $$;

-- lz4 takes half the time of the default for an inventory. Values that are stored stay as they are. A server
-- built without it keeps what it has.
DO $$
DECLARE
  item text;
BEGIN
  FOREACH item IN ARRAY ARRAY['inventory_records.data', 'inventory_records.held', 'inventory_diffs.previous_value',
                              'inventory_diffs.current_value', 'applications.inventory_data'] LOOP
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(split_part(item, '.', 1))
               AND attname = split_part(item, '.', 2) AND attcompression <> 'l' AND attstorage IN ('x', 'm')) THEN
      EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET COMPRESSION lz4', split_part(item, '.', 1),
                     split_part(item, '.', 2));
    END IF;
  END LOOP;
EXCEPTION WHEN feature_not_supported THEN
  RAISE NOTICE 'this server has no lz4';
END $$;
