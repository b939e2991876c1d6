-- SPDX-License-Identifier: Apache-2.0
-- A record whose comparison was given up: the next one is compared with the one before it.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('inventory_records')
                 AND attname = 'given_up' AND NOT attisdropped) THEN
    ALTER TABLE inventory_records ADD COLUMN given_up boolean NOT NULL DEFAULT false;
  END IF;
END $$;
