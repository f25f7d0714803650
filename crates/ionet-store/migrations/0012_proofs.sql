-- The life of a device, JSON of what crate ionet-devices keeps; and its hardware as it was when it last passed, JSON.
ALTER TABLE devices ADD COLUMN life TEXT;
ALTER TABLE devices ADD COLUMN verified TEXT;
-- Every proof that a device was asked for and how it went. Numbers grow, so that nothing is counted twice.
CREATE TABLE IF NOT EXISTS proofs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    began_at_unix_secs INTEGER NOT NULL,
    ended_at_unix_secs INTEGER NOT NULL,
    outcome TEXT NOT NULL, -- passed, failed, or stopped: then it counts for nothing
    code TEXT, -- why it failed
    detail TEXT,
    download_mbps INTEGER NOT NULL DEFAULT 0,
    upload_mbps INTEGER NOT NULL DEFAULT 0,
    memory_mb_per_sec INTEGER NOT NULL DEFAULT 0,
    cpu_mhz INTEGER NOT NULL DEFAULT 0,
    gflops INTEGER NOT NULL DEFAULT 0,
    p_millionths INTEGER NOT NULL DEFAULT 0,
    busy_ms INTEGER NOT NULL DEFAULT 0, -- how long the device worked for it
    transcript_sha256 TEXT NOT NULL,
    transcript TEXT -- JSON; kept of what failed: the evidence
) STRICT;
CREATE INDEX IF NOT EXISTS proofs_by_device ON proofs (device_id, number);
CREATE INDEX IF NOT EXISTS proofs_by_epoch ON proofs (epoch, device_id);
-- What happened to a device, in order: its reputation is computed from this.
CREATE TABLE IF NOT EXISTS device_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL,
    at_unix_secs INTEGER NOT NULL,
    kind TEXT NOT NULL,
    amount INTEGER NOT NULL DEFAULT 0, -- of what the kind says: seconds, millionths, minutes
    detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS device_events_by_device ON device_events (device_id, id);
