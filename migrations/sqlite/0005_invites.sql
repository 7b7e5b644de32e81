-- One-time invites with which a program signs in as a client.
-- A new table: a broker of an earlier version that still runs never looks at it.

CREATE TABLE invites (
    -- One open invite for one client: another one takes its place.
    client_id TEXT PRIMARY KEY REFERENCES clients (id),
    -- HMAC of its letters under a key derived from the master key; recognises it, cannot make it.
    mac BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
