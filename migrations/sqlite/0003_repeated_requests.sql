-- Changes that an administrator asked for with an idempotency key, and what was answered, for a day.
-- A running version without this table goes on: it takes no such keys.

CREATE TABLE repeated_requests (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Authenticates method, path and body: the body may hold a token.
    request_mac BLOB NOT NULL,
    begun_at INTEGER NOT NULL,
    -- Absent until it was answered; the answer may hold a key.
    status INTEGER,
    answer_sealed BLOB,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX repeated_requests_begun_at ON repeated_requests (begun_at);
