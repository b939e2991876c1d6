-- SPDX-License-Identifier: Apache-2.0
-- What struck last, so that a strike whose answer was lost counts once when it comes again.

ALTER TABLE queue_strikes ADD COLUMN attempt TEXT NOT NULL DEFAULT '';
