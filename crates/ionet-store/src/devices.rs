//! Devices that have ever connected.

use std::collections::HashMap;

use ionet_types::agent::{Declared, Hardware};
use ionet_types::audit::{Actor, AuditAction};
use ionet_types::market::Location;
use ionet_types::{Address, DeviceId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::audit::{self, NewAudit};
use crate::device_events::{self, DeviceEvent};
use crate::{Store, StoreError, StoreResult, json, json_text, parsed};

/// A device as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Which.
    pub id: DeviceId,
    /// Name that its supplier gave it.
    pub label: Option<String>,
    /// What its agent last reported.
    pub hardware: Hardware,
    /// Where it is, as it says.
    pub location: Location,
    /// Version of its agent.
    pub agent_version: String,
    /// The wallet that it declared as its owner.
    pub owner: Option<Address>,
    /// When its agent started, unix seconds on the hub's clock, counted back from what it declared.
    pub running_since_unix_secs: Option<i64>,
    /// When it first connected, unix seconds.
    pub registered_at_unix_secs: i64,
    /// When it last connected or left, unix seconds.
    pub last_seen_unix_secs: i64,
    /// When a node last failed on it, unix seconds; 0 for never.
    pub failed_at_unix_secs: i64,
    /// Its life, as crate `ionet-devices` keeps it, JSON; `None` of a device that was here before lives were kept.
    pub life: Option<String>,
    /// Its hardware when it last passed a proof.
    pub verified: Option<Hardware>,
}

/// What a device reports when it connects.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// Name that its supplier gave it.
    pub label: Option<&'a str>,
    /// What its agent found.
    pub hardware: &'a Hardware,
    /// Where it is.
    pub location: &'a Location,
    /// Version of its agent.
    pub agent_version: &'a str,
    /// What it declares and signs.
    pub declared: Declared,
}

fn device(row: &SqliteRow) -> StoreResult<DeviceRow> {
    let hardware: String = row.try_get("hardware")?;
    let owner: Option<String> = row.try_get("owner")?;
    let verified: Option<String> = row.try_get("verified")?;
    Ok(DeviceRow {
        id: parsed(row, "id")?,
        label: row.try_get("label")?,
        hardware: serde_json::from_str(&hardware).map_err(|_| StoreError::Damaged { what: "hardware" })?,
        location: json(row, "location")?,
        agent_version: row.try_get("agent_version")?,
        owner: owner.map(|owner| owner.parse().map_err(|_| StoreError::Damaged { what: "owner" })).transpose()?,
        running_since_unix_secs: row.try_get("running_since_unix_secs")?,
        registered_at_unix_secs: row.try_get("registered_at_unix_secs")?,
        last_seen_unix_secs: row.try_get("last_seen_unix_secs")?,
        failed_at_unix_secs: row.try_get("failed_at_unix_secs")?,
        life: row.try_get("life")?,
        verified: verified
            .map(|verified| serde_json::from_str(&verified).map_err(|_| StoreError::Damaged { what: "verified" }))
            .transpose()?,
    })
}

/// The wallet that a device belongs to.
pub(crate) async fn owner(connection: &mut SqliteConnection, id: DeviceId) -> StoreResult<Option<Address>> {
    let query = sqlx::query("SELECT owner FROM devices WHERE id = ? AND owner IS NOT NULL").bind(id.to_string());
    query.fetch_optional(connection).await?.as_ref().map(|row| parsed(row, "owner")).transpose()
}

/// Registers a device, or takes over what it reports now.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    id: DeviceId,
    reported: &Reported<'_>,
    now_unix_secs: i64,
) -> StoreResult<()> {
    let hardware = serde_json::to_string(reported.hardware).map_err(|_| StoreError::Damaged { what: "hardware" })?;
    sqlx::query(
        "INSERT INTO devices
             (id, label, hardware, agent_version, owner, running_since_unix_secs, registered_at_unix_secs, last_seen_unix_secs, location)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET label = ?2, hardware = ?3, agent_version = ?4, owner = ?5, running_since_unix_secs = ?6,
             last_seen_unix_secs = ?7, location = ?8",
    )
    .bind(id.to_string())
    .bind(reported.label)
    .bind(hardware)
    .bind(reported.agent_version)
    .bind(reported.declared.owner.map(|owner| owner.to_string()))
    .bind(reported.declared.running_since_unix_secs(now_unix_secs))
    .bind(now_unix_secs)
    .bind(json_text(reported.location))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// A device has connected: registers it, or takes over what it reports now.
    pub async fn device_connected(&self, id: DeviceId, reported: &Reported<'_>, now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        upsert(&mut transaction, id, reported, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Keeps a device's life together with what changed in it, and with what of that the audit log is to tell.
    pub async fn device_life_set(
        &self,
        id: DeviceId,
        life: &str,
        events: &[DeviceEvent],
        audits: &[(AuditAction, serde_json::Value)],
        now_unix_secs: i64,
    ) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        let query = sqlx::query("UPDATE devices SET life = ?2 WHERE id = ?1");
        query.bind(id.to_string()).bind(life).execute(&mut *transaction).await?;
        for event in events {
            device_events::insert(&mut transaction, id, event).await?;
        }
        for (action, detail) in audits {
            let owner = owner(&mut transaction, id).await?;
            let actor = match (action, owner) {
                (AuditAction::HardwareChanged, _) => Actor::Device(id),
                (AuditAction::DevicePaused | AuditAction::DeviceResumed | AuditAction::DeviceTerminated, Some(owner)) => {
                    Actor::Wallet(owner)
                }
                _ => Actor::Network,
            };
            let entry = NewAudit { actor, action: *action, subject: id.to_string(), concerns: owner, detail: detail.clone() };
            audit::append(&mut transaction, &entry, now_unix_secs).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Keeps what a device was made of when it passed.
    pub async fn device_verified_set(&self, id: DeviceId, hardware: &Hardware) -> StoreResult<()> {
        let hardware = serde_json::to_string(hardware).map_err(|_| StoreError::Damaged { what: "verified" })?;
        let query = sqlx::query("UPDATE devices SET verified = ?2 WHERE id = ?1");
        query.bind(id.to_string()).bind(hardware).execute(&self.write).await?;
        Ok(())
    }

    /// The lives of all devices.
    pub async fn device_lives(&self) -> StoreResult<Vec<(DeviceId, String)>> {
        let rows = sqlx::query("SELECT id, life FROM devices WHERE life IS NOT NULL").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "id")?, row.try_get("life")?))).collect()
    }

    /// The owners that devices declare.
    pub async fn device_owners(&self) -> StoreResult<HashMap<DeviceId, Address>> {
        let rows = sqlx::query("SELECT id, owner FROM devices WHERE owner IS NOT NULL").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "id")?, parsed(row, "owner")?))).collect()
    }

    /// A device was last heard of now.
    pub async fn device_seen(&self, id: DeviceId, now_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE devices SET last_seen_unix_secs = max(last_seen_unix_secs, ?2) WHERE id = ?1");
        query.bind(id.to_string()).bind(now_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// A node failed on a device.
    pub async fn device_failed(&self, id: DeviceId, now_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE devices SET failed_at_unix_secs = ?2 WHERE id = ?1");
        query.bind(id.to_string()).bind(now_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// Devices on which a node failed after this moment, and when.
    pub async fn devices_failed_since(&self, unix_secs: i64) -> StoreResult<Vec<(DeviceId, i64)>> {
        let query = sqlx::query("SELECT id, failed_at_unix_secs FROM devices WHERE failed_at_unix_secs > ?").bind(unix_secs.max(0));
        let rows = query.fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "id")?, row.try_get("failed_at_unix_secs")?))).collect()
    }

    /// A device.
    pub async fn device(&self, id: DeviceId) -> StoreResult<Option<DeviceRow>> {
        let query = sqlx::query("SELECT * FROM devices WHERE id = ?").bind(id.to_string());
        query.fetch_optional(&self.read).await?.as_ref().map(device).transpose()
    }

    /// Devices after `after` in the order of their ids.
    pub async fn devices(&self, after: Option<DeviceId>, limit: u32) -> StoreResult<Vec<DeviceRow>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let query = sqlx::query("SELECT * FROM devices WHERE id > ? ORDER BY id LIMIT ?").bind(after).bind(limit);
        query.fetch_all(&self.read).await?.iter().map(device).collect()
    }

    /// Devices that declare this owner, after `after` in the order of their ids.
    pub async fn devices_of_owner(&self, owner: Address, after: Option<DeviceId>, limit: u32) -> StoreResult<Vec<DeviceRow>> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        let query = sqlx::query("SELECT * FROM devices WHERE owner = ? AND id > ? ORDER BY id LIMIT ?");
        let query = query.bind(owner.to_string()).bind(after).bind(limit);
        query.fetch_all(&self.read).await?.iter().map(device).collect()
    }
}
