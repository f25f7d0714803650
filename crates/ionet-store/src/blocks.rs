//! Why devices may not be hired or rewarded. A block is a fact with a reason; what follows from it is decided elsewhere.

use ionet_types::DeviceId;
use ionet_types::audit::{Actor, AuditAction};
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};

use crate::audit::{self, NewAudit};
use crate::{Store, StoreResult, parsed};

/// Reason of a block: somebody else holds a copy of the device's key.
pub const CREDENTIAL_REUSED: &str = "credential_reused";

/// A block that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceBlock {
    /// Which device.
    pub device: DeviceId,
    /// Stable `snake_case` reason, such as [`CREDENTIAL_REUSED`]. A device has at most one block of each reason.
    pub reason: String,
    /// Since when, unix seconds on the hub's clock.
    pub since_unix_secs: i64,
    /// The reason for a person.
    pub detail: String,
}

/// Blocks a device within the transaction that `connection` is in, and writes it into the audit log; `false` when it is blocked for this
/// reason already.
pub(crate) async fn block(connection: &mut SqliteConnection, block: &DeviceBlock) -> StoreResult<bool> {
    let DeviceBlock { device, reason, since_unix_secs, detail } = block;
    let inserted = sqlx::query("INSERT INTO device_blocks (device_id, reason, since_unix_secs, detail) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    let inserted = inserted.bind(device.to_string()).bind(reason).bind(since_unix_secs).bind(detail);
    if inserted.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = NewAudit {
        actor: Actor::Network,
        action: AuditAction::DeviceBlocked,
        subject: device.to_string(),
        concerns: owner(connection, *device).await?,
        detail: json!({ "reason": reason, "detail": detail }),
    };
    audit::append(connection, &entry, *since_unix_secs).await?;
    Ok(true)
}

/// Lifts a device's block for a reason within the transaction that `connection` is in, and writes it into the audit log; `false` when there
/// is none.
pub(crate) async fn unblock(
    connection: &mut SqliteConnection,
    device: DeviceId,
    reason: &str,
    actor: Actor,
    now_unix_secs: i64,
) -> StoreResult<bool> {
    let deleted = sqlx::query("DELETE FROM device_blocks WHERE device_id = ? AND reason = ?").bind(device.to_string()).bind(reason);
    if deleted.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = NewAudit {
        actor,
        action: AuditAction::DeviceUnblocked,
        subject: device.to_string(),
        concerns: owner(connection, device).await?,
        detail: json!({ "reason": reason }),
    };
    audit::append(connection, &entry, now_unix_secs).await?;
    Ok(true)
}

/// The wallet that a device belongs to.
pub(crate) async fn owner(connection: &mut SqliteConnection, device: DeviceId) -> StoreResult<Option<ionet_types::Address>> {
    let query = sqlx::query("SELECT owner FROM devices WHERE id = ? AND owner IS NOT NULL").bind(device.to_string());
    query.fetch_optional(connection).await?.as_ref().map(|row| parsed(row, "owner")).transpose()
}

impl Store {
    /// Blocks a device; `false` when it is blocked for this reason already.
    pub async fn device_block(&self, new: &DeviceBlock) -> StoreResult<bool> {
        let mut transaction = self.write.begin().await?;
        let is_new = block(&mut transaction, new).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    /// Lifts a device's block for a reason; `false` when there is none.
    pub async fn device_unblock(&self, device: DeviceId, reason: &str, actor: Actor, now_unix_secs: i64) -> StoreResult<bool> {
        let mut transaction = self.write.begin().await?;
        let was = unblock(&mut transaction, device, reason, actor, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(was)
    }

    /// All blocks that last.
    pub async fn device_blocks(&self) -> StoreResult<Vec<DeviceBlock>> {
        let rows = sqlx::query("SELECT * FROM device_blocks ORDER BY device_id, since_unix_secs").fetch_all(&self.read).await?;
        rows.iter().map(read).collect()
    }

    /// The blocks of a device, oldest first.
    pub async fn device_blocks_of(&self, device: DeviceId) -> StoreResult<Vec<DeviceBlock>> {
        let query = sqlx::query("SELECT * FROM device_blocks WHERE device_id = ? ORDER BY since_unix_secs, reason");
        query.bind(device.to_string()).fetch_all(&self.read).await?.iter().map(read).collect()
    }
}

fn read(row: &sqlx::sqlite::SqliteRow) -> StoreResult<DeviceBlock> {
    Ok(DeviceBlock {
        device: parsed(row, "device_id")?,
        reason: row.try_get("reason")?,
        since_unix_secs: row.try_get("since_unix_secs")?,
        detail: row.try_get("detail")?,
    })
}
