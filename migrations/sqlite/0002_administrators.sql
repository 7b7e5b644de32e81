-- Who may administer over the network. Only new tables: a running version does not look at them.

CREATE TABLE administrators (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- read, clients, credentials, everything; separated by commas.
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Salt and argon2id hash: see broker/src/domain/administrator.rs.
    password_sealed BLOB NOT NULL,
    password_set_at INTEGER NOT NULL,
    -- Counts what ends all sessions: a new password, a revocation of them.
    session_epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE admin_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    key_mac BLOB NOT NULL
) STRICT;

-- What sessions are signed with; the newest signs.
CREATE TABLE session_keys (
    serial INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    key_sealed BLOB NOT NULL
) STRICT;

-- Sessions that were ended before their time.
CREATE TABLE ended_sessions (
    id TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;
