-- SPDX-License-Identifier: Apache-2.0
-- Which process runs the monitors (election/term_store.h).

CREATE TABLE collect_terms (
    name       TEXT PRIMARY KEY,  -- of what is run: 'monitors'
    number     INTEGER NOT NULL,
    beat       INTEGER NOT NULL,
    runner     TEXT NOT NULL,     -- empty: it ended its term by itself
    updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
