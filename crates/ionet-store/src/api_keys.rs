//! API keys, by the hash of their secret.

use ionet_types::keys::{ApiKey, Scope};
use ionet_types::{Address, KeyId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Store, StoreResult, named, number, parsed};

/// Most keys that a wallet can hold.
pub const MAX_KEYS: u32 = 100;

/// A key to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The key.
    pub key: ApiKey,
    /// Whose it is.
    pub wallet: Address,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
}

fn api_key(row: &SqliteRow) -> StoreResult<ApiKey> {
    Ok(ApiKey {
        id: parsed(row, "id")?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        scope: named(row, "scope")?,
        created_at_unix_secs: row.try_get("created_at_unix_secs")?,
        expires_at_unix_secs: row.try_get("expires_at_unix_secs")?,
    })
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
    }
}

impl Store {
    /// Remembers a key; `false` when the wallet holds [`MAX_KEYS`] already. Drops the wallet's keys that are over.
    pub async fn api_key_insert(&self, new: &NewApiKey) -> StoreResult<bool> {
        let NewApiKey { key, wallet, secret_hash } = new;
        let wallet = wallet.to_string();
        let mut transaction = self.write.begin().await?;
        let over = sqlx::query("DELETE FROM api_keys WHERE wallet = ? AND expires_at_unix_secs < ?");
        over.bind(&wallet).bind(key.created_at_unix_secs).execute(&mut *transaction).await?;
        let count = sqlx::query("SELECT count(*) AS n FROM api_keys WHERE wallet = ?").bind(&wallet).fetch_one(&mut *transaction).await?;
        if number::<u32>(&count, "n")? >= MAX_KEYS {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO api_keys (id, wallet, name, prefix, secret_hash, scope, created_at_unix_secs, expires_at_unix_secs)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(key.id.to_string())
        .bind(&wallet)
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(secret_hash.as_slice())
        .bind(scope_name(key.scope))
        .bind(key.created_at_unix_secs)
        .bind(key.expires_at_unix_secs)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The key with this secret, and whose it is, if it still holds.
    pub async fn api_key_by_secret(&self, secret_hash: &[u8; 32], now_unix_secs: i64) -> StoreResult<Option<(ApiKey, Address)>> {
        let query = sqlx::query("SELECT * FROM api_keys WHERE secret_hash = ? AND expires_at_unix_secs > ?");
        let row = query.bind(secret_hash.as_slice()).bind(now_unix_secs).fetch_optional(&self.read).await?;
        row.as_ref().map(|row| Ok((api_key(row)?, parsed(row, "wallet")?))).transpose()
    }

    /// A wallet's keys that hold, newest first.
    pub async fn api_keys(&self, wallet: Address, now_unix_secs: i64) -> StoreResult<Vec<ApiKey>> {
        let query = sqlx::query("SELECT * FROM api_keys WHERE wallet = ? AND expires_at_unix_secs > ? ORDER BY id DESC");
        query.bind(wallet.to_string()).bind(now_unix_secs).fetch_all(&self.read).await?.iter().map(api_key).collect()
    }

    /// Revokes a key; `false` when the wallet has no such key.
    pub async fn api_key_revoke(&self, wallet: Address, id: KeyId) -> StoreResult<bool> {
        let query = sqlx::query("DELETE FROM api_keys WHERE wallet = ? AND id = ?");
        Ok(query.bind(wallet.to_string()).bind(id.to_string()).execute(&self.write).await?.rows_affected() == 1)
    }
}
