//! The hub's database: who wants which cluster, where it was placed, who may ask. Never money: the chain is the truth about that.
//!
//! SQLite in write-ahead mode with full sync: what a method reports as written survives a power cut. One connection writes, several read.
//! Every transaction begins with a write, so that it waits for another process's lock at its first statement and never fails to upgrade.
//! It begins with a plain `BEGIN`: a caller that goes away in the middle of `begin_with` would leave the one writing connection in it.
//! Each noun has a file of queries here and a migration of its own; migrations run at [`Store::open`], each once and whole.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlitePool};
use thiserror::Error;

pub mod admission;
pub mod api_keys;
pub mod assignments;
pub mod audit;
pub mod clusters;
pub mod device_events;
pub mod devices;
pub mod epochs;
pub mod hires;
pub mod idempotency;
pub mod joins;
pub mod offers;
pub mod outages;
pub mod presence;
pub mod prices;
pub mod proofs;
pub mod records;
pub mod reservations;
pub mod sessions;
pub mod share;

pub use admission::{Admitted, Presented};
pub use api_keys::NewApiKey;
pub use assignments::Assignment;
pub use audit::{AuditVerdict, NewAudit, audit_verify};
pub use clusters::{ClusterRow, NewCluster};
pub use device_events::DeviceEvent;
pub use devices::{DeviceRow, Reported};
pub use epochs::{EpochRow, EpochStart};
pub use hires::{Hire, Past};
pub use idempotency::Claim;
pub use joins::{CodeDecision, CodeInsert, CodeLimits, NewDeviceCode, NewJoinToken};
pub use outages::Outage;
pub use presence::{Presence, Watch};
pub use records::{Cursor, WorkDay};
pub use reservations::{Reservation, Reserved, Taking};
pub use share::{GpuShare, Share, Size};

/// Connections that read.
const READERS: u32 = 4;
/// How long a connection waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    write: SqlitePool,
    read: SqlitePool,
}

/// What can go wrong.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused or cannot be reached.
    #[error("the store failed")]
    Database(#[from] sqlx::Error),
    /// The database has another shape than this version knows.
    #[error("the store could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what cannot be.
    #[error("the store's {what} is damaged")]
    Damaged {
        /// Which column.
        what: &'static str,
    },
}

/// What every query returns.
pub type StoreResult<T> = Result<T, StoreError>;

impl Store {
    /// Opens the database file, makes it when it is missing, and brings it up to date.
    pub async fn open(path: &Path) -> StoreResult<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let write = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        sqlx::migrate!().run(&write).await?;
        let read = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true).create_if_missing(false)).await?;
        Ok(Self { write, read })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        Ok(())
    }

    /// Closes all connections; what was written is on disk already.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// A column that holds the text form of `T`.
fn parsed<T: FromStr>(row: &SqliteRow, column: &'static str) -> StoreResult<T> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Damaged { what: column })
}

/// A column that holds a non-negative number of type `T`.
fn number<T: TryFrom<i64>>(row: &SqliteRow, column: &'static str) -> StoreResult<T> {
    let value: i64 = row.try_get(column)?;
    T::try_from(value).map_err(|_| StoreError::Damaged { what: column })
}

/// A number as SQLite holds it.
fn integer(value: u64, what: &'static str) -> StoreResult<i64> {
    i64::try_from(value).map_err(|_| StoreError::Damaged { what })
}

/// A column that holds the text form of `T`, or nothing.
fn optional<T: FromStr>(row: &SqliteRow, column: &'static str) -> StoreResult<Option<T>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|_| StoreError::Damaged { what: column })).transpose()
}

/// A column that holds JSON.
fn json<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> StoreResult<T> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Damaged { what: column })
}

/// A value as a JSON column holds it.
fn json_text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the store's own types have string keys and no floats")
}

/// A unit enum by its name on the wire.
fn named<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &'static str) -> StoreResult<T> {
    let name: String = row.try_get(column)?;
    serde_json::from_value(serde_json::Value::String(name)).map_err(|_| StoreError::Damaged { what: column })
}
