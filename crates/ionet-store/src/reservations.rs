//! Which device works for which cluster, and with what of it. Nothing of a device is reserved twice: what each node takes is checked against
//! all that is taken of the device, in the transaction that inserts it, and what does not fit rolls the whole reservation back.

use ionet_types::agent::MAX_WORKLOADS;
use ionet_types::{ClusterId, DeviceId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::assignments::assign;
use crate::clusters::{NewCluster, insert};
use crate::share::{Share, Size};
use crate::{Store, StoreError, StoreResult, json_text, number, parsed};

/// A device that works, or is to work, for a cluster, with all of it or a share.
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
    /// What of the device the node has; `None` for all of it, whatever that is.
    pub share: Option<Share>,
}

/// What a node is to have of which device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taking {
    /// The device.
    pub device_id: DeviceId,
    /// A share, of a device that has so much; `None` for all of it, which is free only while nobody has any of it.
    pub share: Option<(Share, Size)>,
}

impl Taking {
    /// All of a device.
    pub const fn whole(device_id: DeviceId) -> Self {
        Self { device_id, share: None }
    }
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
        share: share(row)?,
    })
}

fn share(row: &SqliteRow) -> StoreResult<Option<Share>> {
    let text: Option<String> = row.try_get("share")?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| StoreError::Damaged { what: "share" })).transpose()
}

/// Takes what a node is to have of its device, if it is free; whether it was. To be called after the first write of a transaction: from then
/// on nobody else writes until it is over.
async fn take(
    connection: &mut SqliteConnection,
    taking: &Taking,
    (cluster_id, node, attempt): (ClusterId, u32, u32),
    now_unix_secs: i64,
) -> StoreResult<bool> {
    let query = sqlx::query("SELECT share FROM reservations WHERE device_id = ?").bind(taking.device_id.to_string());
    let taken: Vec<Option<Share>> = query.fetch_all(&mut *connection).await?.iter().map(share).collect::<StoreResult<_>>()?;
    let free = match taking.share {
        None => taken.is_empty(),
        // Whoever has all of it leaves nothing.
        Some((share, size)) => match taken.iter().copied().collect::<Option<Vec<_>>>() {
            Some(mut shares) => {
                shares.push(share);
                shares.len() <= MAX_WORKLOADS && Share::fit(&size, &shares)
            }
            None => false,
        },
    };
    if !free {
        return Ok(false);
    }
    let query = sqlx::query(
        "INSERT INTO reservations (device_id, cluster_id, node, attempt, reserved_at_unix_secs, share) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    );
    let query = query.bind(taking.device_id.to_string()).bind(cluster_id.to_string()).bind(node).bind(attempt).bind(now_unix_secs);
    let done = query.bind(taking.share.map(|(share, _)| json_text(&share))).execute(connection).await?;
    Ok(done.rows_affected() == 1)
}

impl Store {
    /// Remembers a new cluster and reserves what its nodes take, in their order: all of it or nothing.
    pub async fn cluster_reserve(&self, new: &NewCluster, takings: &[Taking], now_unix_secs: i64) -> StoreResult<Reserved> {
        let mut transaction = self.write.begin().await?;
        insert(&mut transaction, new, false).await?;
        for (taking, node) in takings.iter().zip(0_u32..) {
            if !take(&mut transaction, taking, (new.id, node, 0), now_unix_secs).await? {
                transaction.rollback().await?;
                return Ok(Reserved::Taken);
            }
            assign(&mut transaction, new.id, node, taking.device_id, now_unix_secs).await?;
        }
        transaction.commit().await?;
        Ok(Reserved::All)
    }

    /// Gives a node to another device and lets the old one go, if it has one: all of it or nothing.
    pub async fn node_replace(
        &self,
        cluster_id: ClusterId,
        node: u16,
        taking: &Taking,
        attempt: u32,
        now_unix_secs: i64,
    ) -> StoreResult<Reserved> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("UPDATE reservations SET releasing = 1 WHERE cluster_id = ? AND node = ? AND releasing = 0")
            .bind(cluster_id.to_string())
            .bind(node)
            .execute(&mut *transaction)
            .await?;
        if !take(&mut transaction, taking, (cluster_id, u32::from(node), attempt), now_unix_secs).await? {
            transaction.rollback().await?;
            return Ok(Reserved::Taken);
        }
        assign(&mut transaction, cluster_id, u32::from(node), taking.device_id, now_unix_secs).await?;
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

    /// Nothing of the node is left on the device that was let go: what it had is free.
    pub async fn device_freed(&self, device: DeviceId, cluster_id: ClusterId, node: u16) -> StoreResult<()> {
        let query = sqlx::query("DELETE FROM reservations WHERE device_id = ? AND cluster_id = ? AND node = ? AND releasing = 1");
        query.bind(device.to_string()).bind(cluster_id.to_string()).bind(node).execute(&self.write).await?;
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

    /// What a device is reserved for, by cluster and node.
    pub async fn reservations_on(&self, device: DeviceId) -> StoreResult<Vec<Reservation>> {
        let query = sqlx::query("SELECT * FROM reservations WHERE device_id = ? ORDER BY cluster_id, node").bind(device.to_string());
        query.fetch_all(&self.read).await?.iter().map(reservation).collect()
    }

    /// Whether anything of a device is reserved.
    pub async fn is_reserved(&self, device: DeviceId) -> StoreResult<bool> {
        let query = sqlx::query("SELECT EXISTS (SELECT 1 FROM reservations WHERE device_id = ?) AS reserved").bind(device.to_string());
        Ok(query.fetch_one(&self.read).await?.try_get("reserved")?)
    }
}
