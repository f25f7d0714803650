//! Every node that a device was hired for, and how that went: what survival is predicted from, with what else is known of devices' pasts.

use std::collections::HashMap;

use ionet_types::{ClusterId, DeviceId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreResult, number, parsed};

/// A device's work for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hire {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Number of the node in it.
    pub node: u16,
    /// The device.
    pub device_id: DeviceId,
    /// What was known of the device when it was chosen, JSON.
    pub features: String,
    /// For how long it was hired, minutes.
    pub minutes_hired: u32,
    /// Since when it served, unix seconds on the hub's clock.
    pub from_unix_secs: i64,
    /// Until when; `None` while it serves.
    pub ended_at_unix_secs: Option<i64>,
    /// Whether the device failed; `None` while it serves.
    pub failed: Option<bool>,
}

fn hire(row: &SqliteRow) -> StoreResult<Hire> {
    Ok(Hire {
        cluster_id: parsed(row, "cluster_id")?,
        node: number(row, "node")?,
        device_id: parsed(row, "device_id")?,
        features: row.try_get("features")?,
        minutes_hired: number(row, "minutes_hired")?,
        from_unix_secs: row.try_get("from_unix_secs")?,
        ended_at_unix_secs: row.try_get("ended_at_unix_secs")?,
        failed: row.try_get("failed")?,
    })
}

/// A device's past in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// When it first connected, unix seconds.
    pub registered_at_unix_secs: i64,
    /// How long it was there in the span that was asked for, seconds.
    pub up_secs: i64,
    /// When nodes failed on it in that span, unix seconds.
    pub failed_at_unix_secs: Vec<i64>,
}

impl Store {
    /// The pasts of all devices in a span of time.
    pub async fn device_pasts(&self, from_unix_secs: i64, to_unix_secs: i64) -> StoreResult<HashMap<DeviceId, Past>> {
        let rows = sqlx::query(
            "SELECT id, registered_at_unix_secs, coalesce((
                 SELECT sum(min(coalesce(to_unix_secs, ?2), ?2) - max(from_unix_secs, ?1)) FROM presences
                 WHERE device_id = devices.id AND from_unix_secs < ?2 AND coalesce(to_unix_secs, ?2) > ?1
             ), 0) AS up_secs FROM devices",
        )
        .bind(from_unix_secs)
        .bind(to_unix_secs)
        .fetch_all(&self.read)
        .await?;
        let mut pasts = HashMap::with_capacity(rows.len());
        for row in &rows {
            let past = Past {
                registered_at_unix_secs: row.try_get("registered_at_unix_secs")?,
                up_secs: row.try_get("up_secs")?,
                failed_at_unix_secs: Vec::new(),
            };
            pasts.insert(parsed::<DeviceId>(row, "id")?, past);
        }
        let query = sqlx::query("SELECT device_id, at_unix_secs FROM device_events WHERE kind = ? AND at_unix_secs >= ? ORDER BY id");
        for row in &query.bind("node_failed").bind(from_unix_secs).fetch_all(&self.read).await? {
            if let Some(past) = pasts.get_mut(&parsed::<DeviceId>(row, "device_id")?) {
                past.failed_at_unix_secs.push(row.try_get("at_unix_secs")?);
            }
        }
        Ok(pasts)
    }

    /// A device begins to serve. Saying so again changes nothing.
    pub async fn hire_begin(&self, hire: &Hire) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO hires (cluster_id, node, device_id, features, minutes_hired, from_unix_secs) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        )
        .bind(hire.cluster_id.to_string())
        .bind(hire.node)
        .bind(hire.device_id.to_string())
        .bind(&hire.features)
        .bind(hire.minutes_hired)
        .bind(hire.from_unix_secs)
        .execute(&self.write)
        .await?;
        Ok(())
    }

    /// A device serves a node no more; the first word on it counts.
    pub async fn hire_end(&self, cluster: ClusterId, node: u16, device: DeviceId, failed: bool, now_unix_secs: i64) -> StoreResult<()> {
        sqlx::query(
            "UPDATE hires SET ended_at_unix_secs = ?, failed = ?
             WHERE cluster_id = ? AND node = ? AND device_id = ? AND ended_at_unix_secs IS NULL",
        )
        .bind(now_unix_secs)
        .bind(failed)
        .bind(cluster.to_string())
        .bind(node)
        .bind(device.to_string())
        .execute(&self.write)
        .await?;
        Ok(())
    }

    /// The hires that run.
    pub async fn hires_open(&self) -> StoreResult<Vec<Hire>> {
        sqlx::query("SELECT * FROM hires WHERE ended_at_unix_secs IS NULL").fetch_all(&self.read).await?.iter().map(hire).collect()
    }

    /// The latest `limit` hires that are over, oldest first.
    pub async fn hires_over(&self, limit: u32) -> StoreResult<Vec<Hire>> {
        let query = sqlx::query("SELECT * FROM hires WHERE ended_at_unix_secs IS NOT NULL ORDER BY ended_at_unix_secs DESC LIMIT ?");
        let mut hires: Vec<_> = query.bind(limit).fetch_all(&self.read).await?.iter().map(hire).collect::<StoreResult<_>>()?;
        hires.reverse();
        Ok(hires)
    }
}
