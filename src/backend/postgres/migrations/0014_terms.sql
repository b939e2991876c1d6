-- SPDX-License-Identifier: Apache-2.0
-- Which process runs the monitors (election/term_store.h).

CREATE TABLE IF NOT EXISTS collect_terms (
  name       text PRIMARY KEY,  -- of what is run: 'monitors'
  number     bigint NOT NULL,
  beat       bigint NOT NULL,
  runner     text NOT NULL,     -- empty: it ended its term by itself
  updated_at timestamptz NOT NULL
);

-- Asked in the last round trip of a runner's transaction: fails it when the runner's term is over. The row stays
-- locked until the commit, so that no other term begins in between.
CREATE OR REPLACE FUNCTION collect_check_term(held bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM collect_terms WHERE name = 'monitors' AND number = held AND runner <> '' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the term of this runner is over' USING ERRCODE = 'CT001';
  END IF;
END $$;
