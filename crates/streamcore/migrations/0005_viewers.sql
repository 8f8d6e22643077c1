-- Who watched, in numbers. Times are milliseconds since 1970 UTC.

CREATE TABLE shows (
    id         INTEGER PRIMARY KEY,
    room       TEXT NOT NULL,
    began_ms   INTEGER NOT NULL,
    -- NULL while it goes on.
    ended_ms   INTEGER,
    -- When it was written last.
    seen_ms    INTEGER NOT NULL,
    -- What its visitors' addresses are hashed with; NULL once it is over.
    salt       BLOB,
    peak       INTEGER NOT NULL DEFAULT 0,
    joined     INTEGER NOT NULL DEFAULT 0,
    departed   INTEGER NOT NULL DEFAULT 0,
    visitors   INTEGER NOT NULL DEFAULT 0,
    average_ms INTEGER NOT NULL DEFAULT 0,
    median_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX shows_by_room ON shows (room, began_ms);

CREATE TABLE show_minutes (
    show     INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    -- Minutes since 1970 UTC.
    minute   INTEGER NOT NULL,
    -- The most at a time.
    viewers  INTEGER NOT NULL,
    joined   INTEGER NOT NULL,
    departed INTEGER NOT NULL,
    PRIMARY KEY (show, minute)
) STRICT, WITHOUT ROWID;

-- Of a show that goes on: whoever watches, as a hash that nothing outside of the show can make. Goes when the show is over.
CREATE TABLE show_visitors (
    show       INTEGER NOT NULL REFERENCES shows (id) ON DELETE CASCADE,
    visitor    BLOB NOT NULL,
    watched_ms INTEGER NOT NULL,
    PRIMARY KEY (show, visitor)
) STRICT, WITHOUT ROWID;

-- How many messages were shown in one minute; who said them is not kept here.
CREATE TABLE said (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    minute   INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (room, minute)
) STRICT, WITHOUT ROWID;

-- Messages go when they are older than the host keeps them.
ALTER TABLE messages ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET at_ms = json_extract(body, '$.at_ms');
CREATE INDEX messages_by_time ON messages (room, at_ms);
