-- SPDX-License-Identifier: Apache-2.0
-- A record whose comparison was given up: the next one is compared with the one before it.

ALTER TABLE inventory_records ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1));
