-- Refresh tokens of the broker's own ("stand-ins"). A new table: a running version is not affected, and an older one
-- that is started again does not look at it.

-- One row for each sign-in that lives: a downloaded auth.json, or a browser. What is issued from it is made of the
-- salt, the number in the lineage and the pepper, which is not here. Times are Unix seconds.
CREATE TABLE stand_ins (
    family TEXT PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    -- The client's key at that time: with another one the sign-in has ended.
    key_id TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('auth_file', 'gateway')),
    salt BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    -- JSON: see broker/src/domain/stand_in.rs.
    lineage TEXT NOT NULL
) STRICT;
