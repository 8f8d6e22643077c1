-- What a room's host sells. Numbers stay below 2^53; times are milliseconds since 1970 UTC.

-- The products that are featured, a JSON list of their ids.
ALTER TABLE rooms ADD COLUMN featured TEXT;

CREATE TABLE products (
    room  TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    id    TEXT NOT NULL,
    place INTEGER NOT NULL,
    -- JSON.
    body  TEXT NOT NULL,
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

-- How many viewers did something with a product in one minute. Who they were is not kept.
CREATE TABLE visits (
    room    TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    -- Minutes since 1970 UTC.
    minute  INTEGER NOT NULL,
    product TEXT NOT NULL,
    opened  INTEGER NOT NULL DEFAULT 0,
    carted  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, minute, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
    room  TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    -- SHA-256 of the body, hexadecimal.
    hash  TEXT NOT NULL,
    -- When it was put there last.
    at_ms INTEGER NOT NULL,
    body  BLOB NOT NULL,
    PRIMARY KEY (room, hash)
) STRICT;
