-- What a room keeps of its chat. Numbers stay below 2^53; times are milliseconds since 1970 UTC.

CREATE TABLE rooms (
    room    TEXT PRIMARY KEY,
    -- The last event's number, and the last entry's of the log of moderation.
    seq     INTEGER NOT NULL DEFAULT 0,
    entries INTEGER NOT NULL DEFAULT 0,
    -- JSON.
    rules   TEXT,
    pinned  TEXT
) STRICT;

CREATE TABLE messages (
    id         INTEGER PRIMARY KEY,
    room       TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    author     TEXT NOT NULL,
    text       TEXT NOT NULL,
    -- The whole message, JSON.
    body       TEXT NOT NULL,
    -- The entry of the log that deleted it; it can be restored by that number.
    deleted_by INTEGER,
    UNIQUE (room, seq)
) STRICT;
CREATE INDEX messages_by_author ON messages (room, author);

CREATE VIRTUAL TABLE message_words USING fts5 (
    text, content = 'messages', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER message_words_insert AFTER INSERT ON messages BEGIN
    INSERT INTO message_words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_words_delete AFTER DELETE ON messages BEGIN
    INSERT INTO message_words (message_words, rowid, text) VALUES ('delete', old.id, old.text);
END;

CREATE TABLE held (
    room TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    seq  INTEGER NOT NULL,
    -- JSON.
    body TEXT NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE restrictions (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    member   TEXT NOT NULL,
    name     TEXT NOT NULL,
    -- NULL: for good.
    until_ms INTEGER,
    -- Keyed hash of an address, never an address.
    address  BLOB,
    PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
    room   TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    member TEXT NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    room   TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    -- JSON.
    body   TEXT NOT NULL,
    PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;
