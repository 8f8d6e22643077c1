-- What a room does together. Numbers stay below 2^53; times are milliseconds since 1970 UTC.

ALTER TABLE rooms ADD COLUMN questions_open INTEGER NOT NULL DEFAULT 0;

CREATE TABLE polls (
    room  TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    id    INTEGER NOT NULL,
    -- JSON; its votes are final once it is closed.
    body  TEXT NOT NULL,
    shown INTEGER NOT NULL,
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

-- Who chose what, while the poll is shown.
CREATE TABLE ballots (
    room   TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    poll   INTEGER NOT NULL,
    member TEXT NOT NULL,
    choice INTEGER NOT NULL,
    PRIMARY KEY (room, poll, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE questions (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    id   INTEGER NOT NULL,
    -- JSON.
    body TEXT NOT NULL,
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE supporters (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    question INTEGER NOT NULL,
    member   TEXT NOT NULL,
    PRIMARY KEY (room, question, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE giveaways (
    room  TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    id    INTEGER NOT NULL,
    -- JSON: what everybody may see. The seed stands in it after the draw.
    body  TEXT NOT NULL,
    -- 32 bytes, a secret until the draw.
    seed  BLOB NOT NULL,
    shown INTEGER NOT NULL,
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

-- Whose entries they were is forgotten when the giveaway is shown no more.
CREATE TABLE giveaway_entries (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    giveaway INTEGER NOT NULL,
    -- From 0, in the order in which they came.
    place    INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    member   TEXT NOT NULL,
    name     TEXT NOT NULL,
    -- Keyed hash of an address, never an address.
    address  BLOB NOT NULL,
    PRIMARY KEY (room, giveaway, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    -- JSON.
    reaction TEXT NOT NULL,
    total    INTEGER NOT NULL,
    PRIMARY KEY (room, reaction)
) STRICT, WITHOUT ROWID;
