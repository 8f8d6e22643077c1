-- The studio's own record: how it is set up, and what was on air.
-- Times are wall clock, milliseconds since 1970. Truth values are 0 and 1. No secret stands here.

CREATE TABLE settings (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    width          INTEGER NOT NULL,
    height         INTEGER NOT NULL,
    fps            INTEGER NOT NULL,
    video_kbps     INTEGER NOT NULL,
    audio_kbps     INTEGER NOT NULL,
    encoder        TEXT,             -- NULL: the best that the probe finds
    high_rendition TEXT    NOT NULL,
    welcomed       INTEGER NOT NULL,
    show_title     TEXT    NOT NULL
) STRICT;

CREATE TABLE sources (
    id             TEXT PRIMARY KEY,
    position       INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    settings       TEXT    NOT NULL, -- JSON, tagged by kind: each kind has its own fields
    gain_db        REAL    NOT NULL,
    muted          INTEGER NOT NULL,
    pan            REAL    NOT NULL,
    sync_offset_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE scenes (
    id       TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL
) STRICT;

-- Keys to other tables are checked when the transaction ends, so that rows may be written in any order.
CREATE TABLE scene_items (
    scene_id    TEXT    NOT NULL REFERENCES scenes (id) DEFERRABLE INITIALLY DEFERRED,
    id          TEXT    NOT NULL,
    source_id   TEXT    NOT NULL REFERENCES sources (id) DEFERRABLE INITIALLY DEFERRED,
    position    INTEGER NOT NULL,    -- from the back
    x           REAL    NOT NULL,
    y           REAL    NOT NULL,
    width       REAL    NOT NULL,
    height      REAL    NOT NULL,
    rotation    REAL    NOT NULL,
    crop_left   REAL    NOT NULL,
    crop_top    REAL    NOT NULL,
    crop_right  REAL    NOT NULL,
    crop_bottom REAL    NOT NULL,
    fit         TEXT    NOT NULL,
    opacity     REAL    NOT NULL,
    visible     INTEGER NOT NULL,
    locked      INTEGER NOT NULL,
    PRIMARY KEY (scene_id, id)
) STRICT;

CREATE INDEX scene_items_by_source ON scene_items (source_id);

CREATE TABLE program (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    scene_id       TEXT    NOT NULL REFERENCES scenes (id) DEFERRABLE INITIALLY DEFERRED,
    preview_id     TEXT    NOT NULL REFERENCES scenes (id) DEFERRABLE INITIALLY DEFERRED,
    studio_mode    INTEGER NOT NULL,
    fade_ms        INTEGER,          -- NULL: a cut
    master_gain_db REAL    NOT NULL,
    master_muted   INTEGER NOT NULL
) STRICT;

CREATE TABLE destinations (
    id       TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    enabled  INTEGER NOT NULL,
    settings TEXT    NOT NULL        -- JSON, tagged by kind; keys are in the keyring, under the id
) STRICT;

CREATE TABLE shows (
    id         INTEGER PRIMARY KEY,
    title      TEXT    NOT NULL,
    started_ms INTEGER NOT NULL,
    live_ms    INTEGER,              -- when the first output was live
    ended_ms   INTEGER,              -- NULL: on air
    ending     TEXT CHECK (ending IN ('stopped', 'lost')),
    CHECK ((ended_ms IS NULL) = (ending IS NULL))
) STRICT;

-- At most one show is on air.
CREATE UNIQUE INDEX one_show_on_air ON shows ((ended_ms IS NULL)) WHERE ended_ms IS NULL;

-- A destination may go while its show stays in the record, so it is no foreign key.
CREATE TABLE show_outputs (
    show_id        INTEGER NOT NULL REFERENCES shows (id),
    destination_id TEXT    NOT NULL,
    on_air         INTEGER NOT NULL,
    PRIMARY KEY (show_id, destination_id)
) STRICT;

CREATE TABLE recordings (
    id             INTEGER PRIMARY KEY,
    show_id        INTEGER NOT NULL REFERENCES shows (id),
    destination_id TEXT    NOT NULL,
    path           TEXT    NOT NULL,
    part           INTEGER NOT NULL, -- from 1
    started_ms     INTEGER NOT NULL,
    ended_ms       INTEGER,          -- NULL: being written, or cut short
    finalised      INTEGER NOT NULL  -- made a plain seekable file
) STRICT;

CREATE INDEX recordings_by_show ON recordings (show_id);
