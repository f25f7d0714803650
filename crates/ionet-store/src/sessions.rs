//! Sign-in: challenges that were issued, and sessions by the hash of their token.

use ionet_types::Address;

use crate::{Store, StoreResult, parsed};

impl Store {
    /// Remembers a challenge, and drops those that are too old.
    pub async fn challenge_insert(&self, message: &str, wallet: Address, expires_at_unix_secs: i64, now_unix_secs: i64) -> StoreResult<()> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("DELETE FROM challenges WHERE expires_at_unix_secs < ?").bind(now_unix_secs).execute(&mut *transaction).await?;
        let query = sqlx::query("INSERT INTO challenges (message, wallet, expires_at_unix_secs) VALUES (?, ?, ?)");
        query.bind(message).bind(wallet.to_string()).bind(expires_at_unix_secs).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The wallet that an issued challenge is for, if it still holds. Does not use it up.
    pub async fn challenge(&self, message: &str, now_unix_secs: i64) -> StoreResult<Option<Address>> {
        let query = sqlx::query("SELECT wallet FROM challenges WHERE message = ? AND expires_at_unix_secs >= ?");
        let row = query.bind(message).bind(now_unix_secs).fetch_optional(&self.read).await?;
        row.as_ref().map(|row| parsed(row, "wallet")).transpose()
    }

    /// Uses a challenge up and opens a session: both or, when somebody else used it, neither. Drops sessions that are over.
    pub async fn session_open(
        &self,
        challenge: &str,
        token_hash: &[u8; 32],
        wallet: Address,
        expires_at_unix_secs: i64,
        now_unix_secs: i64,
    ) -> StoreResult<bool> {
        let mut transaction = self.write.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at_unix_secs < ?").bind(now_unix_secs).execute(&mut *transaction).await?;
        let used = sqlx::query("DELETE FROM challenges WHERE message = ?").bind(challenge).execute(&mut *transaction).await?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        let query = sqlx::query("INSERT INTO sessions (token_hash, wallet, expires_at_unix_secs) VALUES (?, ?, ?)");
        let query = query.bind(token_hash.as_slice()).bind(wallet.to_string()).bind(expires_at_unix_secs);
        query.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The wallet of a session that holds.
    pub async fn session(&self, token_hash: &[u8; 32], now_unix_secs: i64) -> StoreResult<Option<Address>> {
        let query = sqlx::query("SELECT wallet FROM sessions WHERE token_hash = ? AND expires_at_unix_secs > ?");
        let row = query.bind(token_hash.as_slice()).bind(now_unix_secs).fetch_optional(&self.read).await?;
        row.as_ref().map(|row| parsed(row, "wallet")).transpose()
    }
}
