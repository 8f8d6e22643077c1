-- What the system's own dialog allowed a source to show (Wayland): with the token it need not ask again.
-- The next opening of the source uses a token up and gets another one. It is of use to this person's session alone.

CREATE TABLE grants (
    source_id TEXT NOT NULL,
    device    TEXT NOT NULL,         -- as the source's settings name it; empty: none is named
    token     TEXT NOT NULL,
    PRIMARY KEY (source_id, device)
) STRICT;
