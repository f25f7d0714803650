-- What a device itself declared in its signed hello.
ALTER TABLE devices ADD COLUMN owner TEXT; -- wallet, base58
ALTER TABLE devices ADD COLUMN running_since_unix_secs INTEGER; -- when its agent started, by the device's clock
CREATE INDEX IF NOT EXISTS devices_by_owner ON devices (owner, id);
