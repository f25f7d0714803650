-- What customers want. Money is not here: the chain has it.
CREATE TABLE IF NOT EXISTS clusters (
    id TEXT PRIMARY KEY NOT NULL,
    customer TEXT NOT NULL,
    name TEXT,
    hardware TEXT NOT NULL,
    kind TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    minutes INTEGER NOT NULL, -- as booked, without extensions
    currency TEXT NOT NULL,
    rate INTEGER NOT NULL,
    rate_micro_usd INTEGER NOT NULL,
    valid_until_unix_secs INTEGER NOT NULL,
    token TEXT NOT NULL, -- the cluster's own secret, for Ray
    created_at_unix_secs INTEGER NOT NULL,
    head_host TEXT, -- where the Ray head answers its workers, as its device last said
    head_port INTEGER,
    landed INTEGER NOT NULL DEFAULT 0, -- the booking was seen on chain
    terminate_at_unix_secs INTEGER, -- the customer ended it, on the chain's clock
    failed_at_unix_secs INTEGER, -- the network failed it, on the chain's clock
    settled INTEGER NOT NULL DEFAULT 0 -- nothing is left to do
) STRICT;
CREATE INDEX IF NOT EXISTS clusters_by_customer ON clusters (customer, id);
CREATE INDEX IF NOT EXISTS clusters_open ON clusters (id) WHERE settled = 0;
