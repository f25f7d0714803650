//! What happened to each device, in order: what its reputation is computed from, and what its owner can read.

use ionet_types::DeviceId;
use sqlx::{Row as _, SqliteConnection};

use crate::{Store, StoreResult};

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEvent {
    /// When, unix seconds on the hub's clock.
    pub at_unix_secs: i64,
    /// What: a stable name.
    pub kind: String,
    /// How much of it: what the kind says.
    pub amount: i64,
    /// More of it, for a person.
    pub detail: String,
}

/// Writes an event as part of something larger.
pub(crate) async fn insert(transaction: &mut SqliteConnection, device: DeviceId, event: &DeviceEvent) -> StoreResult<()> {
    sqlx::query("INSERT INTO device_events (device_id, at_unix_secs, kind, amount, detail) VALUES (?, ?, ?, ?, ?)")
        .bind(device.to_string())
        .bind(event.at_unix_secs)
        .bind(&event.kind)
        .bind(event.amount)
        .bind(&event.detail)
        .execute(transaction)
        .await?;
    Ok(())
}

impl Store {
    /// Writes down what happened to a device.
    pub async fn device_event_insert(&self, device: DeviceId, event: &DeviceEvent) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        insert(&mut transaction, device, event).await?;
        Ok(transaction.commit().await?)
    }

    /// What happened to a device since, oldest first.
    pub async fn device_events(&self, device: DeviceId, since_unix_secs: i64) -> StoreResult<Vec<DeviceEvent>> {
        let query = sqlx::query("SELECT * FROM device_events WHERE device_id = ? AND at_unix_secs >= ? ORDER BY id");
        let rows = query.bind(device.to_string()).bind(since_unix_secs).fetch_all(&self.read).await?;
        let event = |row: &sqlx::sqlite::SqliteRow| -> StoreResult<DeviceEvent> {
            Ok(DeviceEvent {
                at_unix_secs: row.try_get("at_unix_secs")?,
                kind: row.try_get("kind")?,
                amount: row.try_get("amount")?,
                detail: row.try_get("detail")?,
            })
        };
        rows.iter().map(event).collect()
    }
}
