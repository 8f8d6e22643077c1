-- Tips and tickets. Amounts are whole numbers of the currency's smallest unit, below 2^53; times are milliseconds since
-- 1970 UTC.

CREATE TABLE money_rooms (
    room TEXT PRIMARY KEY REFERENCES rooms (room) ON DELETE CASCADE,
    -- The show that is on sale now, from 1.
    show INTEGER NOT NULL DEFAULT 1,
    -- What a ticket costs, JSON; NULL: watching is free.
    price TEXT,
    -- What the host collects for, JSON.
    goal TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE money_shows (
    room     TEXT NOT NULL REFERENCES rooms (room) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    title    TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;

-- Accounts are kept when a room is forgotten: there is no ON DELETE CASCADE here.
CREATE TABLE payments (
    -- 128 random bits, hexadecimal.
    id       TEXT PRIMARY KEY,
    room     TEXT NOT NULL,
    show     INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('tip', 'ticket')),
    currency TEXT NOT NULL,
    minor    INTEGER NOT NULL CHECK (minor > 0),
    fee      INTEGER NOT NULL CHECK (fee BETWEEN 0 AND minor),
    state    TEXT NOT NULL,
    made_ms  INTEGER NOT NULL,
    paid_ms  INTEGER,
    -- Number of the event that told the room.
    seq      INTEGER,
    -- What was given back, and what became of giving it back.
    refunded INTEGER NOT NULL DEFAULT 0,
    refund   TEXT,
    -- Stripe's numbers: of the page on which it is paid (cs_…), and of the payment (pi_…).
    checkout TEXT,
    intent   TEXT,
    -- Everything, JSON.
    body     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_by_room ON payments (room, show, kind, paid_ms);
CREATE INDEX payments_by_checkout ON payments (checkout);
CREATE INDEX payments_by_intent ON payments (intent);
CREATE INDEX payments_to_refund ON payments (refund) WHERE refund = 'wanted';

-- What Stripe has said already: the same word twice counts once.
CREATE TABLE stripe_events (
    id    TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was given back, as Stripe says it; also before it is known of which payment.
CREATE TABLE stripe_refunds (
    refund TEXT PRIMARY KEY,
    intent TEXT NOT NULL,
    minor  INTEGER NOT NULL,
    -- Whether the money goes back: a failed one does not.
    holds  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stripe_refunds_by_intent ON stripe_refunds (intent);
