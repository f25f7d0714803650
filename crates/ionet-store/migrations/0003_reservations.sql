-- Which device works for which cluster. The primary key is what makes a second reservation of a device impossible.
CREATE TABLE IF NOT EXISTS reservations (
    device_id TEXT PRIMARY KEY NOT NULL,
    cluster_id TEXT NOT NULL,
    node INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    reserved_at_unix_secs INTEGER NOT NULL,
    releasing INTEGER NOT NULL DEFAULT 0 -- no longer wanted; free once nothing of the node is left on the device
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS reservations_by_node ON reservations (cluster_id, node) WHERE releasing = 0;
