-- The first schema. Nothing runs yet, so nothing is affected.
-- Columns that end in _sealed hold AEAD boxes bound to table, row, column, generation and key id.
-- Times are Unix seconds.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    account_id TEXT NOT NULL,
    user_id TEXT,
    email TEXT,
    plan_type TEXT,
    created_at INTEGER NOT NULL,
    pause TEXT NOT NULL CHECK (pause IN ('none', 'renewal', 'all')),
    -- The rotation: see broker/src/domain/rotation.rs.
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('resting', 'claimed', 'sent', 'reauth', 'quarantine')),
    state_detail TEXT NOT NULL,
    -- The token set of this generation.
    access_token_sealed BLOB NOT NULL,
    refresh_token_sealed BLOB NOT NULL,
    id_token_sealed BLOB,
    fingerprint TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    obtained_at INTEGER NOT NULL,
    earliest_refresh_at INTEGER
) STRICT;

-- Every refresh token that was ever ours, so that an old copy is not imported as if it were new.
CREATE TABLE fingerprints (
    fingerprint TEXT PRIMARY KEY,
    credential_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;

-- Answers with tokens that were obtained and may not be published: late ones, and other accounts'.
CREATE TABLE kept_answers (
    id INTEGER PRIMARY KEY,
    credential_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    reason TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    answer_sealed BLOB NOT NULL
) STRICT;

CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    key_id TEXT NOT NULL UNIQUE,
    key_mac BLOB NOT NULL
) STRICT;

-- One client, one credential is the rule; the table leaves room for a pool made on purpose.
CREATE TABLE grants (
    client_id TEXT NOT NULL REFERENCES clients (id),
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    PRIMARY KEY (client_id, credential_id)
) STRICT, WITHOUT ROWID;

-- Who was given which generation, how often, and when last.
CREATE TABLE handouts (
    client_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, credential_id, generation)
) STRICT, WITHOUT ROWID;

-- A chain: each mac covers its row and the mac before it.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    request_id TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL,
    mac BLOB NOT NULL
) STRICT;
