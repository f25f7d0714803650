//! Clusters that customers want.

use ionet_types::agent::RayHeadAddress;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::Requirements;
use ionet_types::{Address, ClusterId, Currency};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreResult, integer, json, json_text, named, number, optional, parsed};

/// A cluster to be remembered: the offer it was prepared with.
#[derive(Clone, PartialEq, Eq)]
pub struct NewCluster {
    /// Which.
    pub id: ClusterId,
    /// Who wants it.
    pub customer: Address,
    /// The customer's name for it.
    pub name: Option<String>,
    /// Which model.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Devices.
    pub quantity: u32,
    /// Minutes of each, as booked.
    pub minutes: u32,
    /// What it is paid in.
    pub currency: Currency,
    /// Base units per device-hour.
    pub rate: u64,
    /// Micro-USD per device-hour.
    pub rate_micro_usd: u64,
    /// Until when the booking may land, unix seconds on the chain's clock.
    pub valid_until_unix_secs: i64,
    /// The cluster's secret, for Ray.
    pub token: String,
    /// When it was made, unix seconds on the chain's clock.
    pub created_at_unix_secs: i64,
    /// What its devices fulfil beside their model.
    pub requirements: Requirements,
    /// The cluster whose Ray its nodes join.
    pub part_of: Option<ClusterId>,
}

/// A cluster as the store knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterRow {
    /// The offer.
    pub offer: NewCluster,
    /// Where its Ray head answers the workers, as the head's device last said.
    pub head: Option<RayHeadAddress>,
    /// Its booking was seen on chain.
    pub landed: bool,
    /// When the customer ended it, unix seconds on the chain's clock.
    pub terminate_at_unix_secs: Option<i64>,
    /// When the network failed it for good, unix seconds on the chain's clock.
    pub failed_at_unix_secs: Option<i64>,
    /// Nothing is left to do for it.
    pub settled: bool,
}

fn cluster(row: &SqliteRow) -> StoreResult<ClusterRow> {
    let head = match row.try_get::<Option<String>, _>("head_host")? {
        Some(host) => Some(RayHeadAddress { host, gcs_port: number(row, "head_port")? }),
        None => None,
    };
    Ok(ClusterRow {
        offer: NewCluster {
            id: parsed(row, "id")?,
            customer: parsed(row, "customer")?,
            name: row.try_get("name")?,
            hardware: parsed(row, "hardware")?,
            kind: named(row, "kind")?,
            quantity: number(row, "quantity")?,
            minutes: number(row, "minutes")?,
            currency: named(row, "currency")?,
            rate: number(row, "rate")?,
            rate_micro_usd: number(row, "rate_micro_usd")?,
            valid_until_unix_secs: row.try_get("valid_until_unix_secs")?,
            token: row.try_get("token")?,
            created_at_unix_secs: row.try_get("created_at_unix_secs")?,
            requirements: json(row, "requirements")?,
            part_of: optional(row, "part_of")?,
        },
        head,
        landed: row.try_get("landed")?,
        terminate_at_unix_secs: row.try_get("terminate_at_unix_secs")?,
        failed_at_unix_secs: row.try_get("failed_at_unix_secs")?,
        settled: row.try_get("settled")?,
    })
}

impl Store {
    /// Remembers a cluster without devices: one whose booking was found on chain. Keeps what is known already.
    pub async fn cluster_insert(&self, new: &NewCluster, landed: bool) -> StoreResult<()> {
        let mut connection = self.write.acquire().await?;
        insert(&mut connection, new, landed).await
    }

    /// A cluster.
    pub async fn cluster(&self, id: ClusterId) -> StoreResult<Option<ClusterRow>> {
        let query = sqlx::query("SELECT * FROM clusters WHERE id = ?").bind(id.to_string());
        query.fetch_optional(&self.read).await?.as_ref().map(cluster).transpose()
    }

    /// A customer's clusters, newest first, those older than `before` only.
    pub async fn clusters_of(&self, customer: Address, before: Option<ClusterId>, limit: u32) -> StoreResult<Vec<ClusterRow>> {
        // Ids are hexadecimal: `g` comes after all of them.
        let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
        let query = sqlx::query("SELECT * FROM clusters WHERE customer = ? AND id < ? ORDER BY id DESC LIMIT ?");
        query.bind(customer.to_string()).bind(before).bind(limit).fetch_all(&self.read).await?.iter().map(cluster).collect()
    }

    /// The clusters whose nodes join this one's Ray, oldest first.
    pub async fn cluster_parts(&self, whole: ClusterId) -> StoreResult<Vec<ClusterId>> {
        let query = sqlx::query("SELECT id FROM clusters WHERE part_of = ? ORDER BY id").bind(whole.to_string());
        query.fetch_all(&self.read).await?.iter().map(|row| parsed(row, "id")).collect()
    }

    /// All clusters for which something may be left to do, oldest first.
    pub async fn clusters_open(&self) -> StoreResult<Vec<ClusterRow>> {
        sqlx::query("SELECT * FROM clusters WHERE settled = 0 ORDER BY id").fetch_all(&self.read).await?.iter().map(cluster).collect()
    }

    /// Clusters of a customer that wait for its first signature.
    pub async fn clusters_prepared(&self, customer: Address) -> StoreResult<u32> {
        let query = sqlx::query("SELECT count(*) AS n FROM clusters WHERE customer = ? AND landed = 0 AND settled = 0");
        number(&query.bind(customer.to_string()).fetch_one(&self.read).await?, "n")
    }

    /// The booking was seen on chain.
    pub async fn cluster_landed(&self, id: ClusterId) -> StoreResult<()> {
        sqlx::query("UPDATE clusters SET landed = 1 WHERE id = ?").bind(id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// Where its Ray head answers the workers; `None` while a new one starts.
    pub async fn cluster_head(&self, id: ClusterId, head: Option<&RayHeadAddress>) -> StoreResult<()> {
        let query = sqlx::query("UPDATE clusters SET head_host = ?, head_port = ? WHERE id = ?");
        let query = query.bind(head.map(|head| &head.host)).bind(head.map(|head| head.gcs_port));
        query.bind(id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// The customer ends it at this moment; the first call counts.
    pub async fn cluster_terminate(&self, id: ClusterId, at_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE clusters SET terminate_at_unix_secs = ? WHERE id = ? AND terminate_at_unix_secs IS NULL");
        query.bind(at_unix_secs).bind(id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// The network has failed it at this moment; the first call counts.
    pub async fn cluster_failed(&self, id: ClusterId, at_unix_secs: i64) -> StoreResult<()> {
        let query = sqlx::query("UPDATE clusters SET failed_at_unix_secs = ? WHERE id = ? AND failed_at_unix_secs IS NULL");
        query.bind(at_unix_secs).bind(id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// Nothing is left to do for it.
    pub async fn cluster_settled(&self, id: ClusterId) -> StoreResult<()> {
        sqlx::query("UPDATE clusters SET settled = 1 WHERE id = ?").bind(id.to_string()).execute(&self.write).await?;
        Ok(())
    }

    /// Forgets a cluster whose booking never landed, and frees its devices: nothing has run on them.
    pub async fn cluster_forget(&self, id: ClusterId) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        let query = sqlx::query("DELETE FROM clusters WHERE id = ? AND landed = 0").bind(id.to_string());
        if query.execute(&mut *transaction).await?.rows_affected() == 1 {
            sqlx::query("DELETE FROM reservations WHERE cluster_id = ?").bind(id.to_string()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

pub(crate) async fn insert(connection: &mut sqlx::SqliteConnection, new: &NewCluster, landed: bool) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO clusters (id, customer, name, hardware, kind, quantity, minutes, currency, rate, rate_micro_usd,
         valid_until_unix_secs, token, created_at_unix_secs, landed, requirements, part_of)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET landed = max(landed, excluded.landed)",
    )
    .bind(new.id.to_string())
    .bind(new.customer.to_string())
    .bind(new.name.as_deref())
    .bind(new.hardware.as_str())
    .bind(new.kind.name())
    .bind(new.quantity)
    .bind(new.minutes)
    .bind(new.currency.name())
    .bind(integer(new.rate, "rate")?)
    .bind(integer(new.rate_micro_usd, "rate_micro_usd")?)
    .bind(new.valid_until_unix_secs)
    .bind(&new.token)
    .bind(new.created_at_unix_secs)
    .bind(landed)
    .bind(json_text(&new.requirements))
    .bind(new.part_of.map(|whole| whole.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}
