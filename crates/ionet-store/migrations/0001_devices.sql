CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY NOT NULL,
    label TEXT,
    hardware TEXT NOT NULL, -- what the agent reported, JSON
    agent_version TEXT NOT NULL,
    registered_at_unix_secs INTEGER NOT NULL,
    last_seen_unix_secs INTEGER NOT NULL,
    failed_at_unix_secs INTEGER NOT NULL DEFAULT 0 -- when a node last failed on it; 0 for never
) STRICT;
