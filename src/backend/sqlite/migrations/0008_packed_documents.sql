-- SPDX-License-Identifier: Apache-2.0
-- Documents as the compact store packs them (inventory/packing.h). A record has its document here or, plain, in
-- inventory_documents; `collect migrate` moves them.

CREATE TABLE packed_documents (
    record_id     INTEGER PRIMARY KEY REFERENCES inventory_records(id) ON DELETE CASCADE,
    base_id       INTEGER,            -- the record whose document the frame needs to be read; null: none
    position      INTEGER NOT NULL,   -- in the row of those since the last that needs none
    frame         BLOB NOT NULL,      -- zstd
    document_hash TEXT                -- where inventory_records.data_hash is of another writing of the document
) STRICT;
