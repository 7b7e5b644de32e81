-- What was told to people, and what still waits to be told. A running version without alerts never looks at it.
-- Times are Unix seconds. Nothing in here is secret.

-- Conditions that were told and are not over.
CREATE TABLE alarms (
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    since INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (what, subject)
) STRICT, WITHOUT ROWID;

-- Notices that a sink has not taken yet, in their order.
CREATE TABLE notices (
    sink TEXT NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (sink, place)
) STRICT, WITHOUT ROWID;
