-- When a node of a running cluster did not work: time that the customer does not pay for. On the chain's clock.
CREATE TABLE IF NOT EXISTS outages (
    cluster_id TEXT NOT NULL,
    node INTEGER NOT NULL,
    from_unix_secs INTEGER NOT NULL,
    to_unix_secs INTEGER,
    PRIMARY KEY (cluster_id, node, from_unix_secs)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS outages_open ON outages (cluster_id, node) WHERE to_unix_secs IS NULL;
