-- What can be sold: products of shops and of the host's own, and what the show has chosen of them.
-- Money is a whole number in the smallest unit of its currency. A shop's keys are in the keyring, under its id.

CREATE TABLE shops (
    id       TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    url      TEXT    NOT NULL,
    fresh_ms INTEGER,                -- when it last answered in full; NULL: never
    whole_ms INTEGER                 -- when all of it was last read, not only what had changed
) STRICT;

CREATE TABLE products (
    number     INTEGER PRIMARY KEY,  -- what product_words calls it
    id         TEXT    NOT NULL UNIQUE,
    shop_id    TEXT REFERENCES shops (id) ON DELETE CASCADE, -- NULL: the host's own
    sku        TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    categories TEXT    NOT NULL,
    about      TEXT    NOT NULL,     -- one line of plain text
    minor      INTEGER,              -- NULL: no price; then so are the next three
    was_minor  INTEGER,
    currency   TEXT,
    digits     INTEGER,
    buyable    INTEGER NOT NULL,
    stock_left INTEGER,              -- NULL: nobody counts
    link       TEXT    NOT NULL,
    image      TEXT    NOT NULL,     -- where the shop has it; the picture itself is in product-pictures/
    changed_ms INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL      -- beginning of the reading that met it last
) STRICT;

CREATE INDEX products_by_title ON products (title COLLATE NOCASE);
CREATE INDEX products_by_shop ON products (shop_id, seen_ms);
-- A file that is read again changes what it made before: by number, or by title where there is none.
CREATE INDEX own_products_by_sku ON products (sku) WHERE shop_id IS NULL;
CREATE INDEX own_products_by_title ON products (title) WHERE shop_id IS NULL;

-- Words of products without their accents; prefixes of up to three letters are looked up, not scanned for.
CREATE VIRTUAL TABLE product_words USING fts5 (
    title, sku, categories,
    content = 'products', content_rowid = 'number',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

CREATE TRIGGER product_words_new AFTER INSERT ON products BEGIN
    INSERT INTO product_words (rowid, title, sku, categories)
    VALUES (new.number, new.title, new.sku, new.categories);
END;
CREATE TRIGGER product_words_gone AFTER DELETE ON products BEGIN
    INSERT INTO product_words (product_words, rowid, title, sku, categories)
    VALUES ('delete', old.number, old.title, old.sku, old.categories);
END;
-- A refresh writes every row and changes the words of few.
CREATE TRIGGER product_words_changed AFTER UPDATE ON products
WHEN old.title <> new.title OR old.sku <> new.sku OR old.categories <> new.categories BEGIN
    INSERT INTO product_words (product_words, rowid, title, sku, categories)
    VALUES ('delete', old.number, old.title, old.sku, old.categories);
    INSERT INTO product_words (rowid, title, sku, categories)
    VALUES (new.number, new.title, new.sku, new.categories);
END;

-- Of the present show, on air or next.
CREATE TABLE show_products (
    product_id  TEXT PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    note        TEXT    NOT NULL,
    promo_code  TEXT    NOT NULL,
    ends_ms     INTEGER,
    counting_ms INTEGER,             -- since when the countdown runs
    featured    INTEGER              -- place beside the picture; NULL: not there
) STRICT;

-- Pictures of products that were looked at, so that they are there without the shop.
CREATE TABLE product_pictures (
    hash    TEXT PRIMARY KEY,        -- SHA-256 of its address, and the name of its file
    mime    TEXT    NOT NULL,
    bytes   INTEGER NOT NULL,
    used_ms INTEGER NOT NULL
) STRICT;
