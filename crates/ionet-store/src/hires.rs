//! Every node that a device was hired for, and how that went: what survival is predicted from.

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

impl Store {
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
