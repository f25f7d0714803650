CREATE TABLE IF NOT EXISTS idempotency (
    wallet TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    response TEXT, -- null while the first request is being processed
    created_at_unix_secs INTEGER NOT NULL,
    PRIMARY KEY (wallet, key)
) STRICT;
