//! What happened to each device, in order: what its reputation is computed from.

use ionet_types::DeviceId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::{Store, StoreResult, parsed};

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

fn event(row: &SqliteRow) -> StoreResult<DeviceEvent> {
    Ok(DeviceEvent {
        at_unix_secs: row.try_get("at_unix_secs")?,
        kind: row.try_get("kind")?,
        amount: row.try_get("amount")?,
        detail: row.try_get("detail")?,
    })
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
    /// Writes down what happened to a device, unless an event of the same kind and detail is there. `false` when it is.
    pub async fn device_event_insert_once(&self, device: DeviceId, event: &DeviceEvent) -> StoreResult<bool> {
        let done = sqlx::query(
            "INSERT INTO device_events (device_id, at_unix_secs, kind, amount, detail)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM device_events WHERE device_id = ?1 AND kind = ?3 AND detail = ?5)",
        )
        .bind(device.to_string())
        .bind(event.at_unix_secs)
        .bind(&event.kind)
        .bind(event.amount)
        .bind(&event.detail)
        .execute(&self.write)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// What happened to all devices, in order.
    pub async fn device_events_all(&self) -> StoreResult<Vec<(DeviceId, DeviceEvent)>> {
        let rows = sqlx::query("SELECT * FROM device_events ORDER BY id").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "device_id")?, event(row)?))).collect()
    }
}
