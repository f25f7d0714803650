//! Idempotency keys: the answer to a request is kept, so that its repetition gets the same one.

use ionet_types::Address;
use sqlx::Row as _;

use crate::{Store, StoreResult};

/// How long an answer is kept, seconds.
pub const KEPT_SECS: i64 = 24 * 3_600;
/// After this long a request without an answer counts as dead, seconds.
pub const ABANDONED_SECS: i64 = 60;

/// What a key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody used it: process the request, then keep the answer.
    New,
    /// The same request was answered so.
    Answered(String),
    /// The same request is being processed.
    InUse,
    /// It stands for another request.
    Other,
}

impl Store {
    /// Claims a key for a request.
    pub async fn idempotency_claim(&self, wallet: Address, key: &str, request_hash: &[u8; 32], now_unix_secs: i64) -> StoreResult<Claim> {
        let mut transaction = self.write.begin().await?;
        let stale = "DELETE FROM idempotency WHERE created_at_unix_secs < ?1 OR (response IS NULL AND created_at_unix_secs < ?2)";
        sqlx::query(stale).bind(now_unix_secs - KEPT_SECS).bind(now_unix_secs - ABANDONED_SECS).execute(&mut *transaction).await?;
        let query = sqlx::query("SELECT request_hash, response FROM idempotency WHERE wallet = ? AND key = ?");
        let claim = match query.bind(wallet.to_string()).bind(key).fetch_optional(&mut *transaction).await? {
            None => {
                let insert = "INSERT INTO idempotency (wallet, key, request_hash, created_at_unix_secs) VALUES (?, ?, ?, ?)";
                let query = sqlx::query(insert).bind(wallet.to_string()).bind(key).bind(request_hash.as_slice());
                query.bind(now_unix_secs).execute(&mut *transaction).await?;
                Claim::New
            }
            Some(row) => match (row.try_get::<Vec<u8>, _>("request_hash")?, row.try_get("response")?) {
                (hash, _) if hash != request_hash => Claim::Other,
                (_, Some(response)) => Claim::Answered(response),
                (_, None) => Claim::InUse,
            },
        };
        transaction.commit().await?;
        Ok(claim)
    }

    /// Keeps the answer.
    pub async fn idempotency_answer(&self, wallet: Address, key: &str, response: &str) -> StoreResult<()> {
        let query = sqlx::query("UPDATE idempotency SET response = ? WHERE wallet = ? AND key = ?");
        query.bind(response).bind(wallet.to_string()).bind(key).execute(&self.write).await?;
        Ok(())
    }

    /// Gives the key back: the request failed and changed nothing.
    pub async fn idempotency_release(&self, wallet: Address, key: &str) -> StoreResult<()> {
        let query = sqlx::query("DELETE FROM idempotency WHERE wallet = ? AND key = ? AND response IS NULL");
        query.bind(wallet.to_string()).bind(key).execute(&self.write).await?;
        Ok(())
    }
}
