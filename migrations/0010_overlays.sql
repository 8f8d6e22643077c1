-- What lies over the program's picture.

CREATE TABLE overlays (
    kind     TEXT PRIMARY KEY,
    position INTEGER NOT NULL,       -- from the one that was there first
    content  TEXT    NOT NULL,       -- JSON, tagged by kind: each kind has its own fields
    shown    INTEGER NOT NULL
) STRICT;

CREATE TABLE overlay_look (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    look TEXT NOT NULL               -- JSON: colours, font, places
) STRICT;
