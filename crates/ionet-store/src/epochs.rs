//! Epochs: how devices stood when each began, and which were closed. The allocations themselves are files.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreError, StoreResult, integer, number};

/// A closed epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochRow<S, T> {
    /// Its number, from 1.
    pub epoch: u64,
    /// When it was closed, unix seconds.
    pub closed_at_unix_secs: i64,
    /// What the verifiers say of it.
    pub statement: S,
    /// What people are told of it.
    pub summary: T,
}

/// How the devices stood when an epoch began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochStart<D> {
    /// When that was looked at, unix seconds.
    pub taken_at_unix_secs: i64,
    /// The devices.
    pub devices: D,
}

fn json<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> StoreResult<T> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Damaged { what: column })
}

fn text<T: Serialize>(value: &T, what: &'static str) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged { what })
}

fn epoch<S: DeserializeOwned, T: DeserializeOwned>(row: &SqliteRow) -> StoreResult<EpochRow<S, T>> {
    Ok(EpochRow {
        epoch: number(row, "epoch")?,
        closed_at_unix_secs: row.try_get("closed_at_unix_secs")?,
        statement: json(row, "statement")?,
        summary: json(row, "summary")?,
    })
}

impl Store {
    /// Remembers how the devices stood when an epoch began. What was remembered first stays.
    pub async fn epoch_start_insert<D: Serialize + Sync>(&self, epoch: u64, taken_at_unix_secs: i64, devices: &D) -> StoreResult<()> {
        let query = sqlx::query("INSERT INTO epoch_starts (epoch, taken_at_unix_secs, devices) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
        let query = query.bind(integer(epoch, "epoch")?).bind(taken_at_unix_secs).bind(text(devices, "devices")?);
        query.execute(&self.write).await?;
        Ok(())
    }

    /// Whether somebody looked when an epoch began.
    pub async fn epoch_start_taken(&self, epoch: u64) -> StoreResult<bool> {
        let query = sqlx::query("SELECT 1 FROM epoch_starts WHERE epoch = ?").bind(integer(epoch, "epoch")?);
        Ok(query.fetch_optional(&self.read).await?.is_some())
    }

    /// How the devices stood when an epoch began; `None` when nobody looked.
    pub async fn epoch_start<D: DeserializeOwned>(&self, epoch: u64) -> StoreResult<Option<EpochStart<D>>> {
        let row =
            sqlx::query("SELECT * FROM epoch_starts WHERE epoch = ?").bind(integer(epoch, "epoch")?).fetch_optional(&self.read).await?;
        let start =
            |row: &SqliteRow| Ok(EpochStart { taken_at_unix_secs: row.try_get("taken_at_unix_secs")?, devices: json(row, "devices")? });
        row.as_ref().map(start).transpose()
    }

    /// Forgets how devices stood before epochs that are closed for long.
    pub async fn epoch_starts_prune(&self, before_epoch: u64) -> StoreResult<()> {
        sqlx::query("DELETE FROM epoch_starts WHERE epoch < ?").bind(integer(before_epoch, "epoch")?).execute(&self.write).await?;
        Ok(())
    }

    /// Remembers that an epoch was closed. What was remembered first stays.
    pub async fn epoch_insert<S: Serialize + Sync, T: Serialize + Sync>(&self, row: &EpochRow<S, T>) -> StoreResult<()> {
        let query =
            sqlx::query("INSERT INTO epochs (epoch, closed_at_unix_secs, statement, summary) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
        let query = query.bind(integer(row.epoch, "epoch")?).bind(row.closed_at_unix_secs);
        query.bind(text(&row.statement, "statement")?).bind(text(&row.summary, "summary")?).execute(&self.write).await?;
        Ok(())
    }

    /// A closed epoch.
    pub async fn epoch<S: DeserializeOwned, T: DeserializeOwned>(&self, number: u64) -> StoreResult<Option<EpochRow<S, T>>> {
        let query = sqlx::query("SELECT * FROM epochs WHERE epoch = ?").bind(integer(number, "epoch")?);
        query.fetch_optional(&self.read).await?.as_ref().map(epoch).transpose()
    }

    /// The last epoch that was closed.
    pub async fn epoch_last<S: DeserializeOwned, T: DeserializeOwned>(&self) -> StoreResult<Option<EpochRow<S, T>>> {
        let query = sqlx::query("SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1");
        query.fetch_optional(&self.read).await?.as_ref().map(epoch).transpose()
    }

    /// Closed epochs, newest first; those before `before` only.
    pub async fn epochs<S: DeserializeOwned, T: DeserializeOwned>(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> StoreResult<Vec<EpochRow<S, T>>> {
        let before = before.map_or(Ok(i64::MAX), |before| integer(before, "epoch"))?;
        let query = sqlx::query("SELECT * FROM epochs WHERE epoch < ? ORDER BY epoch DESC LIMIT ?").bind(before).bind(limit);
        query.fetch_all(&self.read).await?.iter().map(epoch).collect()
    }
}
