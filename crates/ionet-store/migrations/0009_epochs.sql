-- What an epoch's rewards are computed from, and which epochs were closed. All times on the hub's clock.

-- When a device was connected. Open while it is, or was when the hub was last seen alive.
CREATE TABLE IF NOT EXISTS presences (
    id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    from_unix_secs INTEGER NOT NULL,
    to_unix_secs INTEGER,
    running_since_unix_secs INTEGER -- since when the agent says that it runs
) STRICT;
CREATE INDEX IF NOT EXISTS presences_by_device ON presences (device_id, from_unix_secs);
CREATE INDEX IF NOT EXISTS presences_open ON presences (id) WHERE to_unix_secs IS NULL;
-- When the hub itself was there to see. What happened in between nobody knows.
CREATE TABLE IF NOT EXISTS watches (
    id INTEGER PRIMARY KEY,
    from_unix_secs INTEGER NOT NULL,
    to_unix_secs INTEGER NOT NULL
) STRICT;
-- Which device has been which node of a cluster, for ever: who did the work that a log pays for.
CREATE TABLE IF NOT EXISTS assignments (
    id INTEGER PRIMARY KEY,
    cluster_id TEXT NOT NULL,
    node INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    from_unix_secs INTEGER NOT NULL,
    to_unix_secs INTEGER -- when another device took over
) STRICT;
CREATE INDEX IF NOT EXISTS assignments_by_cluster ON assignments (cluster_id, node, id);
CREATE INDEX IF NOT EXISTS assignments_by_device ON assignments (device_id, id);
-- How the devices stood when an epoch began.
CREATE TABLE IF NOT EXISTS epoch_starts (
    epoch INTEGER PRIMARY KEY,
    taken_at_unix_secs INTEGER NOT NULL,
    devices TEXT NOT NULL -- JSON
) STRICT;
-- Epochs whose allocation was written.
CREATE TABLE IF NOT EXISTS epochs (
    epoch INTEGER PRIMARY KEY,
    closed_at_unix_secs INTEGER NOT NULL,
    statement TEXT NOT NULL, -- JSON
    summary TEXT NOT NULL -- JSON
) STRICT;
