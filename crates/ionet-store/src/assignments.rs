//! Which device has been which node of a cluster: unlike a reservation, this stays.

use ionet_types::{ClusterId, DeviceId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::{Store, StoreResult, number, parsed};

/// A device that was, or is, a node of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// Number of the node.
    pub node: u16,
    /// The device.
    pub device_id: DeviceId,
    /// From when, unix seconds.
    pub from_unix_secs: i64,
    /// Until when, unix seconds: another device took over. `None` for the node's last device.
    pub to_unix_secs: Option<i64>,
}

fn assignment(row: &SqliteRow) -> StoreResult<Assignment> {
    Ok(Assignment {
        node: number(row, "node")?,
        device_id: parsed(row, "device_id")?,
        from_unix_secs: row.try_get("from_unix_secs")?,
        to_unix_secs: row.try_get("to_unix_secs")?,
    })
}

/// A device is a node from now on; who was it before is no longer.
pub(crate) async fn assign(
    connection: &mut SqliteConnection,
    cluster_id: ClusterId,
    node: u32,
    device: DeviceId,
    now_unix_secs: i64,
) -> StoreResult<()> {
    let query = sqlx::query(
        "UPDATE assignments SET to_unix_secs = max(from_unix_secs, ?3) WHERE cluster_id = ?1 AND node = ?2 AND to_unix_secs IS NULL",
    );
    query.bind(cluster_id.to_string()).bind(node).bind(now_unix_secs).execute(&mut *connection).await?;
    let query = sqlx::query("INSERT INTO assignments (cluster_id, node, device_id, from_unix_secs) VALUES (?, ?, ?, ?)");
    query.bind(cluster_id.to_string()).bind(node).bind(device.to_string()).bind(now_unix_secs).execute(connection).await?;
    Ok(())
}

impl Store {
    /// All devices that have been nodes of a cluster, by node, oldest first.
    pub async fn assignments(&self, cluster_id: ClusterId) -> StoreResult<Vec<Assignment>> {
        let query = sqlx::query("SELECT * FROM assignments WHERE cluster_id = ? ORDER BY node, id").bind(cluster_id.to_string());
        query.fetch_all(&self.read).await?.iter().map(assignment).collect()
    }
}
