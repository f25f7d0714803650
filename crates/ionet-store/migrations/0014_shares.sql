-- A device may work for several clusters at once: each node says what of it is its. The device alone is no key any more; that nobody gets
-- what another has is checked within the transaction that inserts (src/share.rs).
CREATE TABLE reservations_shared (
    device_id TEXT NOT NULL,
    cluster_id TEXT NOT NULL,
    node INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    reserved_at_unix_secs INTEGER NOT NULL,
    releasing INTEGER NOT NULL DEFAULT 0, -- no longer wanted; free once nothing of the node is left on the device
    share TEXT, -- JSON: what of the device the node has; NULL for all of it
    PRIMARY KEY (device_id, cluster_id, node)
) STRICT;
INSERT INTO reservations_shared (device_id, cluster_id, node, attempt, reserved_at_unix_secs, releasing)
    SELECT device_id, cluster_id, node, attempt, reserved_at_unix_secs, releasing FROM reservations;
DROP TABLE reservations;
ALTER TABLE reservations_shared RENAME TO reservations;
CREATE UNIQUE INDEX reservations_by_node ON reservations (cluster_id, node) WHERE releasing = 0;
