//! Which device works for which cluster. A device is never reserved twice: it is the table's primary key, and an insert that meets
//! another one rolls the whole reservation back.

use ionet_types::{ClusterId, DeviceId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::assignments::assign;
use crate::clusters::{NewCluster, insert};
use crate::{Store, StoreResult, number, parsed};

/// A device that works, or is to work, for a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The device.
    pub device_id: DeviceId,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Number of the node in it.
    pub node: u16,
    /// How often the node was started anew.
    pub attempt: u32,
    /// When, unix seconds.
    pub reserved_at_unix_secs: i64,
    /// No longer wanted; free once nothing of the node is left on the device.
    pub releasing: bool,
}

/// Whether devices were reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// All of them.
    All,
    /// None: at least one was taken meanwhile. Place anew.
    Taken,
}

fn reservation(row: &SqliteRow) -> StoreResult<Reservation> {
    Ok(Reservation {
        device_id: parsed(row, "device_id")?,
        cluster_id: parsed(row, "cluster_id")?,
        node: number(row, "node")?,
        attempt: number(row, "attempt")?,
        reserved_at_unix_secs: row.try_get("reserved_at_unix_secs")?,
        releasing: row.try_get("releasing")?,
    })
}

const RESERVE: &str =
    "INSERT INTO reservations (device_id, cluster_id, node, attempt, reserved_at_unix_secs) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

impl Store {
    /// Remembers a new cluster and reserves its devices, in the order of its nodes: all of it or nothing.
    pub async fn cluster_reserve(&self, new: &NewCluster, devices: &[DeviceId], now_unix_secs: i64) -> StoreResult<Reserved> {
        let mut transaction = self.write.begin().await?;
        insert(&mut transaction, new, false).await?;
        for (device, node) in devices.iter().zip(0_u32..) {
            let query = sqlx::query(RESERVE).bind(device.to_string()).bind(new.id.to_string());
            let done = query.bind(node).bind(0).bind(now_unix_secs).execute(&mut *transaction).await?;
            if done.rows_affected() == 0 {
                transaction.rollback().await?;
                return Ok(Reserved::Taken);
            }
            assign(&mut transaction, new.id, node, *device, now_unix_secs).await?;
        }
        transaction.commit().await?;
        Ok(Reserved::All)
    }

    /// Gives a node to another device and lets the old one go, if it has one: all of it or nothing.
    pub async fn node_replace(
        &self,
        cluster_id: ClusterId,
        node: u16,
        device: DeviceId,
        attempt: u32,
        now_unix_secs: i64,
    ) -> StoreResult<Reserved> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("UPDATE reservations SET releasing = 1 WHERE cluster_id = ? AND node = ? AND releasing = 0")
            .bind(cluster_id.to_string())
            .bind(node)
            .execute(&mut *transaction)
            .await?;
        let query = sqlx::query(RESERVE).bind(device.to_string()).bind(cluster_id.to_string()).bind(node);
        let done = query.bind(attempt).bind(now_unix_secs).execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(Reserved::Taken);
        }
        assign(&mut transaction, cluster_id, u32::from(node), device, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(Reserved::All)
    }

    /// Has a node started anew on its device, from this attempt to the next; a second call for the same attempt changes nothing.
    pub async fn node_retry(&self, cluster_id: ClusterId, node: u16, attempt: u32) -> StoreResult<()> {
        let query = sqlx::query(
            "UPDATE reservations SET attempt = attempt + 1 WHERE cluster_id = ? AND node = ? AND attempt = ? AND releasing = 0",
        );
        query.bind(cluster_id.to_string()).bind(node).bind(attempt).execute(&self.write).await?;
        Ok(())
    }

    /// Lets all devices of a cluster go.
    pub async fn cluster_release(&self, cluster_id: ClusterId) -> StoreResult<()> {
        let query = sqlx::query("UPDATE reservations SET releasing = 1 WHERE cluster_id = ? AND releasing = 0");
        query.bind(cluster_id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// Nothing of the node is left on the device that was let go: it is free.
    pub async fn device_freed(&self, device: DeviceId, cluster_id: ClusterId) -> StoreResult<()> {
        let query = sqlx::query("DELETE FROM reservations WHERE device_id = ? AND cluster_id = ? AND releasing = 1");
        query.bind(device.to_string()).bind(cluster_id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// All reservations, by cluster and node.
    pub async fn reservations(&self) -> StoreResult<Vec<Reservation>> {
        let query = sqlx::query("SELECT * FROM reservations ORDER BY cluster_id, node");
        query.fetch_all(&self.read).await?.iter().map(reservation).collect()
    }

    /// The devices that work for a cluster, by node.
    pub async fn reservations_of(&self, cluster_id: ClusterId) -> StoreResult<Vec<Reservation>> {
        let query = sqlx::query("SELECT * FROM reservations WHERE cluster_id = ? AND releasing = 0 ORDER BY node");
        query.bind(cluster_id.to_string()).fetch_all(&self.read).await?.iter().map(reservation).collect()
    }

    /// What a device is reserved for.
    pub async fn reservation_of(&self, device: DeviceId) -> StoreResult<Option<Reservation>> {
        let query = sqlx::query("SELECT * FROM reservations WHERE device_id = ?").bind(device.to_string());
        query.fetch_optional(&self.read).await?.as_ref().map(reservation).transpose()
    }
}
