-- Who did what, for ever: entries are added and never touched again. The hashes show whether somebody did all the same.
CREATE TABLE IF NOT EXISTS audit (
    sequence INTEGER PRIMARY KEY,
    at_unix_secs INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    concerns TEXT, -- wallet that may read it beside the actor
    detail TEXT NOT NULL, -- JSON
    salt TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS audit_by_actor ON audit (actor, sequence);
CREATE INDEX IF NOT EXISTS audit_by_concerned ON audit (concerns, sequence);
-- The last entry. Updated first in every transaction that writes an entry, so that such transactions wait for each other.
CREATE TABLE IF NOT EXISTS audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
INSERT OR IGNORE INTO audit_head (id, sequence, hash) VALUES (1, 0, zeroblob(32));
CREATE TRIGGER IF NOT EXISTS audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER IF NOT EXISTS audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is never deleted');
END;
CREATE TRIGGER IF NOT EXISTS audit_head_stays BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'the audit log has a head');
END;
