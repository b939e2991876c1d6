-- SPDX-License-Identifier: Apache-2.0
-- Documents as the compact store packs them (inventory/packing.h). A record has its document in `data` or, packed,
-- in these columns; `collect migrate` moves them.

DO $$
DECLARE
  item text;
BEGIN
  -- Asked first, because ALTER TABLE locks the table even where it finds nothing to do.
  FOREACH item IN ARRAY ARRAY[
      'packed bytea',             -- a zstd frame
      'packed_base bigint',       -- the record whose document the frame needs to be read; null: none
      'packed_position integer',  -- in the row of those since the last that needs none
      'packed_hash varchar(64)'   -- where data_hash is of another writing of the document than the packed one
    ] LOOP
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_records')
                   AND attname = split_part(item, ' ', 1) AND NOT attisdropped) THEN
      EXECUTE format('ALTER TABLE inventory_records ADD COLUMN IF NOT EXISTS %s', item);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_records')
             AND attname = 'data' AND attnotnull AND NOT attisdropped) THEN
    ALTER TABLE inventory_records ALTER COLUMN data DROP NOT NULL;
  END IF;
  -- It is compressed already.
  ALTER TABLE inventory_records ALTER COLUMN packed SET STORAGE EXTERNAL;
END $$;

-- Whether any document is packed: each stands on one of these, or is one. Few, and none where documents are jsonb.
CREATE INDEX IF NOT EXISTS collect_records_packed ON inventory_records (id)
  WHERE packed IS NOT NULL AND packed_base IS NULL;
