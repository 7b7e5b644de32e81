-- Limits of a client, and what is kept of an audit whose oldest entries were removed.
-- To a running version: existing clients get the broker's usual limits, no date, any address; nothing is removed.

-- NULL: what the broker lets every client; 0: no limit.
ALTER TABLE clients ADD COLUMN requests_per_minute INTEGER;
ALTER TABLE clients ADD COLUMN handouts_per_hour INTEGER;
-- Networks from which it may ask, separated by commas; empty: any.
ALTER TABLE clients ADD COLUMN networks TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN expires_at INTEGER;
ALTER TABLE clients ADD COLUMN paused_at INTEGER;

-- Who holds tokens of a credential.
CREATE INDEX handouts_by_credential ON handouts (credential_id, expires_at);

-- Where the audit begins after its oldest entries were removed: the last of them. One row, or none.
CREATE TABLE audit_checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    mac BLOB NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- Over all of the above, under a key derived from the master key.
    proof BLOB NOT NULL
) STRICT;

-- How far the audit was written into the anchor file. One row, or none.
CREATE TABLE audit_anchored (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
) STRICT;
