-- The truth: what happened, in the order it was committed. Times are microseconds since 1970 in UTC.
CREATE TABLE events (
    position    INTEGER PRIMARY KEY NOT NULL CHECK (position > 0),
    at          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    stream      TEXT    NOT NULL,
    incident    TEXT,
    actor       TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    body        TEXT    NOT NULL
) STRICT;

CREATE INDEX events_by_incident ON events (incident, position) WHERE incident IS NOT NULL;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;

CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;

-- Where work that feeds on other stores has got to; moves in the same commit as the events it led to.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who may write: each opening takes the next number, and a commit under an older one is refused.
CREATE TABLE epoch (
    id     INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO epoch (id, number) VALUES (1, 0);
