CREATE TABLE IF NOT EXISTS challenges (
    message TEXT PRIMARY KEY NOT NULL,
    wallet TEXT NOT NULL,
    expires_at_unix_secs INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    token_hash BLOB PRIMARY KEY NOT NULL,
    wallet TEXT NOT NULL,
    expires_at_unix_secs INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    wallet TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    created_at_unix_secs INTEGER NOT NULL,
    expires_at_unix_secs INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS api_keys_by_wallet ON api_keys (wallet, id);
