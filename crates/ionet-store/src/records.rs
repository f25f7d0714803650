//! An index over the chain's records, for the public explorer. (cluster, number) is unique, so reading the chain twice changes nothing.

use ionet_types::transactions::{Record, RecordBody, RecordFilter, RecordKind};
use ionet_types::{Address, ClusterId, TransactionSignature};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError, StoreResult, integer, number, parsed};

/// Up to where the chain was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last transaction read.
    pub signature: TransactionSignature,
    /// Its slot.
    pub slot: u64,
}

/// Work of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkDay {
    /// First second of the day in UTC, unix seconds.
    pub day_unix_secs: i64,
    /// Value, micro-USD.
    pub value_micro_usd: u64,
    /// Device-minutes.
    pub device_minutes: u64,
}

fn record(row: &SqliteRow) -> StoreResult<Record> {
    let json: String = row.try_get("record")?;
    serde_json::from_str(&json).map_err(|_| StoreError::Damaged { what: "record" })
}

fn numbered(row: &SqliteRow) -> StoreResult<(i64, Record)> {
    Ok((row.try_get("seq")?, record(row)?))
}

impl Store {
    /// Remembers records, in the order of the chain, together with the cursor behind them.
    pub async fn records_insert(&self, records: &[Record], cursor: Option<Cursor>) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        for record in records {
            let (device_minutes, value_micro_usd) = match &record.body {
                RecordBody::Worked { device_minutes, value_micro_usd, .. } => (*device_minutes, value_micro_usd.0),
                _ => (0, 0),
            };
            let customer = match &record.body {
                RecordBody::BookProduct { customer, .. } => Some(customer.to_string()),
                _ => None,
            };
            sqlx::query(
                "INSERT INTO records (cluster_id, number, customer, kind, at_unix_secs, signature, device_minutes, value_micro_usd, record)
                 VALUES (?1, ?2, coalesce(?3, (SELECT customer FROM records WHERE cluster_id = ?1 AND number = 0)), ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO NOTHING",
            )
            .bind(record.cluster_id.to_string())
            .bind(record.record)
            .bind(customer)
            .bind(record.body.kind().name())
            .bind(record.at_unix_secs)
            .bind(record.signature.to_string())
            .bind(integer(device_minutes, "device_minutes")?)
            .bind(integer(value_micro_usd, "value_micro_usd")?)
            .bind(serde_json::to_string(record).map_err(|_| StoreError::Damaged { what: "record" })?)
            .execute(&mut *transaction)
            .await?;
        }
        if let Some(cursor) = cursor {
            let query = sqlx::query("INSERT OR REPLACE INTO cursors (name, signature, slot) VALUES ('records', ?, ?)");
            let query = query.bind(cursor.signature.to_string()).bind(integer(cursor.slot, "slot")?);
            query.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Up to where the chain was read; `None` before the first time.
    pub async fn records_cursor(&self) -> StoreResult<Option<Cursor>> {
        let row = sqlx::query("SELECT signature, slot FROM cursors WHERE name = 'records'").fetch_optional(&self.read).await?;
        row.as_ref().map(|row| Ok(Cursor { signature: parsed(row, "signature")?, slot: number(row, "slot")? })).transpose()
    }

    /// Drops the index, to be read from the chain again.
    pub async fn records_drop(&self) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("DELETE FROM records").execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM cursors WHERE name = 'records'").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Records, newest first, each with its place in the list; those before `before` only.
    pub async fn records(&self, filter: &RecordFilter, before: Option<i64>, limit: u32) -> StoreResult<Vec<(i64, Record)>> {
        let query = sqlx::query(
            "SELECT seq, record FROM records WHERE seq < ?1 AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR cluster_id = ?3)
             ORDER BY seq DESC LIMIT ?4",
        );
        let query = query.bind(before.unwrap_or(i64::MAX)).bind(filter.kind.map(RecordKind::name));
        let query = query.bind(filter.cluster_id.map(|id| id.to_string())).bind(limit);
        query.fetch_all(&self.read).await?.iter().map(numbered).collect()
    }

    /// Records that moved a customer's money, newest first, each with its place in the list; those before `before` only.
    pub async fn records_of_customer(&self, customer: Address, before: Option<i64>, limit: u32) -> StoreResult<Vec<(i64, Record)>> {
        let query = sqlx::query(
            "SELECT seq, record FROM records WHERE customer = ? AND seq < ? AND kind IN ('pay', 'extend', 'refund', 'expire')
             ORDER BY seq DESC LIMIT ?",
        );
        let query = query.bind(customer.to_string()).bind(before.unwrap_or(i64::MAX)).bind(limit);
        query.fetch_all(&self.read).await?.iter().map(numbered).collect()
    }

    /// All records of a cluster, in order.
    pub async fn records_of_cluster(&self, id: ClusterId) -> StoreResult<Vec<Record>> {
        let query = sqlx::query("SELECT record FROM records WHERE cluster_id = ? ORDER BY number").bind(id.to_string());
        query.fetch_all(&self.read).await?.iter().map(record).collect()
    }

    /// Work logs written from `from` on and before `to`, unix seconds on the chain's clock, in order.
    pub async fn records_worked(&self, from_unix_secs: i64, to_unix_secs: i64) -> StoreResult<Vec<Record>> {
        let query = sqlx::query("SELECT record FROM records WHERE kind = 'worked' AND at_unix_secs >= ? AND at_unix_secs < ? ORDER BY seq");
        query.bind(from_unix_secs).bind(to_unix_secs).fetch_all(&self.read).await?.iter().map(record).collect()
    }

    /// The records in one transaction, in order.
    pub async fn records_of_transaction(&self, signature: TransactionSignature) -> StoreResult<Vec<Record>> {
        let query = sqlx::query("SELECT record FROM records WHERE signature = ? ORDER BY seq").bind(signature.to_string());
        query.fetch_all(&self.read).await?.iter().map(record).collect()
    }

    /// Work by day, oldest first.
    pub async fn work_days(&self) -> StoreResult<Vec<WorkDay>> {
        let rows = sqlx::query(
            "SELECT at_unix_secs / 86400 * 86400 AS day, sum(value_micro_usd) AS value, sum(device_minutes) AS minutes
             FROM records WHERE kind = 'worked' GROUP BY day ORDER BY day",
        )
        .fetch_all(&self.read)
        .await?;
        let day = |row| {
            Ok(WorkDay {
                day_unix_secs: number(row, "day")?,
                value_micro_usd: number(row, "value")?,
                device_minutes: number(row, "minutes")?,
            })
        };
        rows.iter().map(day).collect()
    }
}
