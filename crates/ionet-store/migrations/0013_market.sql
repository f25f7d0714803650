-- What customers ask of devices beyond their model, and what suppliers and the operator say of them.
ALTER TABLE clusters ADD COLUMN requirements TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE clusters ADD COLUMN part_of TEXT; -- the cluster whose Ray its nodes join
CREATE INDEX IF NOT EXISTS clusters_by_whole ON clusters (part_of) WHERE part_of IS NOT NULL;
ALTER TABLE devices ADD COLUMN location TEXT NOT NULL DEFAULT '{}'; -- where it is, as it says, JSON
-- On which terms a device is offered: its owner's word.
CREATE TABLE IF NOT EXISTS device_terms (
    device_id TEXT PRIMARY KEY NOT NULL,
    terms TEXT NOT NULL, -- JSON
    changed_at_unix_secs INTEGER NOT NULL
) STRICT;
-- What the operator has seen proof of.
CREATE TABLE IF NOT EXISTS attestations (
    device_id TEXT PRIMARY KEY NOT NULL,
    attestation TEXT NOT NULL, -- JSON
    attested_by TEXT NOT NULL,
    attested_at_unix_secs INTEGER NOT NULL
) STRICT;
-- The pricing oracle's whole state.
CREATE TABLE IF NOT EXISTS price_oracle (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    state TEXT NOT NULL, -- JSON
    changed_at_unix_secs INTEGER NOT NULL
) STRICT;
-- The price index: one point for each hour of each series.
CREATE TABLE IF NOT EXISTS price_points (
    series TEXT NOT NULL, -- a model, or empty for the whole network
    from_unix_secs INTEGER NOT NULL,
    point TEXT NOT NULL, -- JSON
    PRIMARY KEY (series, from_unix_secs)
) STRICT, WITHOUT ROWID;
-- Every node that a device was hired for, and how that went: what survival is predicted from.
CREATE TABLE IF NOT EXISTS hires (
    cluster_id TEXT NOT NULL,
    node INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    features TEXT NOT NULL, -- JSON: what was known of the device when it was chosen
    minutes_hired INTEGER NOT NULL,
    from_unix_secs INTEGER NOT NULL,
    ended_at_unix_secs INTEGER,
    failed INTEGER, -- 1: the device failed; 0: it served to the end; NULL while it serves
    PRIMARY KEY (cluster_id, node, device_id, from_unix_secs)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hires_by_end ON hires (ended_at_unix_secs) WHERE ended_at_unix_secs IS NOT NULL;
CREATE INDEX IF NOT EXISTS hires_open ON hires (cluster_id) WHERE ended_at_unix_secs IS NULL;
