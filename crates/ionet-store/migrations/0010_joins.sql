-- How devices become a wallet's. Secrets are here by their hashes only.

-- What a fleet joins with.
CREATE TABLE IF NOT EXISTS join_tokens (
    id TEXT PRIMARY KEY NOT NULL,
    wallet TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    max_devices INTEGER NOT NULL,
    joined INTEGER NOT NULL DEFAULT 0,
    created_at_unix_secs INTEGER NOT NULL,
    expires_at_unix_secs INTEGER NOT NULL,
    revoked_at_unix_secs INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS join_tokens_by_wallet ON join_tokens (wallet, id);
-- Devices that ask for a person's approval.
CREATE TABLE IF NOT EXISTS device_codes (
    secret_hash BLOB PRIMARY KEY NOT NULL,
    user_code TEXT NOT NULL UNIQUE,
    label TEXT,
    address TEXT NOT NULL, -- the network address that asked
    asked_at_unix_secs INTEGER NOT NULL,
    expires_at_unix_secs INTEGER NOT NULL,
    status TEXT NOT NULL, -- pending, approved, denied, given
    wallet TEXT -- who approved
) STRICT;
CREATE INDEX IF NOT EXISTS device_codes_by_address ON device_codes (address, expires_at_unix_secs);
-- By what right a device is here, and the secrets that change with every connection.
CREATE TABLE IF NOT EXISTS admissions (
    device_id TEXT PRIMARY KEY NOT NULL,
    join_token TEXT, -- id of the token that it joined with
    admitted_at_unix_secs INTEGER NOT NULL,
    confirmed_hash BLOB, -- the last credential that the device presented
    offered_hash BLOB, -- the one that it was sent after that, and may not have received
    reused_at_unix_secs INTEGER -- when somebody first came with its key and neither of these
) STRICT;
