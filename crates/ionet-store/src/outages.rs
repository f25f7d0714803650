//! When nodes of running clusters did not work.

use ionet_types::ClusterId;
use sqlx::Row as _;

use crate::{Store, StoreResult, number, parsed};

/// A stretch of time in which a node did not work, on the chain's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// Which node.
    pub node: u16,
    /// From when, unix seconds.
    pub from_unix_secs: i64,
    /// Until when, unix seconds; `None` while it lasts.
    pub to_unix_secs: Option<i64>,
}

impl Store {
    /// A node does not work from this moment on; nothing changes when that is known already.
    pub async fn outage_begin(&self, cluster_id: ClusterId, node: u16, from_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("INSERT INTO outages (cluster_id, node, from_unix_secs) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
        query.bind(cluster_id.to_string()).bind(node).bind(from_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// A node works again from this moment on.
    pub async fn outage_end(&self, cluster_id: ClusterId, node: u16, to_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query(
            "UPDATE outages SET to_unix_secs = max(from_unix_secs, ?3) WHERE cluster_id = ?1 AND node = ?2 AND to_unix_secs IS NULL",
        );
        query.bind(cluster_id.to_string()).bind(node).bind(to_unix_secs).execute(&self.write).await?;
        Ok(())
    }

    /// Outages that last: cluster, node, since when.
    pub async fn outages_open(&self) -> StoreResult<Vec<(ClusterId, u16, i64)>> {
        let rows = sqlx::query("SELECT * FROM outages WHERE to_unix_secs IS NULL").fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok((parsed(row, "cluster_id")?, number(row, "node")?, row.try_get("from_unix_secs")?))).collect()
    }

    /// All outages of a cluster, oldest first.
    pub async fn outages(&self, cluster_id: ClusterId) -> StoreResult<Vec<Outage>> {
        let query = sqlx::query("SELECT * FROM outages WHERE cluster_id = ? ORDER BY from_unix_secs, node");
        let rows = query.bind(cluster_id.to_string()).fetch_all(&self.read).await?;
        let outage = |row| {
            Ok(Outage {
                node: number(row, "node")?,
                from_unix_secs: row.try_get("from_unix_secs")?,
                to_unix_secs: row.try_get("to_unix_secs")?,
            })
        };
        rows.iter().map(outage).collect()
    }
}
