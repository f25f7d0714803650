-- An index over the chain's records. Holds nothing that the chain does not: it may be dropped and read again at any time.
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY,
    cluster_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    customer TEXT,
    kind TEXT NOT NULL,
    at_unix_secs INTEGER NOT NULL,
    signature TEXT NOT NULL,
    device_minutes INTEGER NOT NULL DEFAULT 0,
    value_micro_usd INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL, -- JSON
    UNIQUE (cluster_id, number)
) STRICT;
CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, seq);
CREATE INDEX IF NOT EXISTS records_by_signature ON records (signature);
CREATE INDEX IF NOT EXISTS records_by_customer ON records (customer, seq);
-- Up to where the chain was read.
CREATE TABLE IF NOT EXISTS cursors (
    name TEXT PRIMARY KEY NOT NULL,
    signature TEXT NOT NULL,
    slot INTEGER NOT NULL
) STRICT;
