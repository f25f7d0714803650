//! Join tokens and device codes, by the hashes of their secrets.

use ionet_types::audit::{Actor, AuditAction};
use ionet_types::joins::{DeviceCodeStatus, JoinRefusal, JoinToken, PendingDevice, UserCode};
use ionet_types::{Address, JoinTokenId};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::audit::{self, NewAudit};
use crate::{Store, StoreError, StoreResult, number, parsed};

/// Most join tokens that a wallet can hold at a time.
pub const MAX_JOIN_TOKENS: u32 = 100;
/// How long a token that is over is still shown, and refused by its own reason: 30 days.
const KEPT_SECS: i64 = 30 * 24 * 3_600;
/// How long a code that is over is still told so: an hour.
const CODE_KEPT_SECS: i64 = 3_600;

/// A join token to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJoinToken {
    /// The token.
    pub token: JoinToken,
    /// Whose it is.
    pub wallet: Address,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
}

/// A device code to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeviceCode {
    /// What is shown of it.
    pub pending: PendingDevice,
    /// SHA-256 of the device's secret.
    pub secret_hash: [u8; 32],
}

/// Most codes that may wait at once.
#[derive(Debug, Clone, Copy)]
pub struct CodeLimits {
    /// From one network address.
    pub per_address: u32,
    /// In all.
    pub total: u32,
}

/// What became of a code that a device asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeInsert {
    /// It is remembered.
    Done,
    /// Its user code is taken: draw another.
    Taken,
    /// Too many wait.
    Limit,
}

/// What became of a decision about a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeDecision {
    /// It is taken down.
    Done,
    /// There is no such code, or it is too old.
    Unknown,
    /// Somebody has decided before.
    Decided,
}

fn join_token(row: &SqliteRow) -> StoreResult<JoinToken> {
    let (max_devices, devices_joined): (u32, u32) = (number(row, "max_devices")?, number(row, "joined")?);
    Ok(JoinToken {
        id: parsed(row, "id")?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        max_devices,
        devices_joined,
        uses_left: max_devices.saturating_sub(devices_joined),
        created_at_unix_secs: row.try_get("created_at_unix_secs")?,
        expires_at_unix_secs: row.try_get("expires_at_unix_secs")?,
        revoked_at_unix_secs: row.try_get("revoked_at_unix_secs")?,
    })
}

/// Whether a device may still join with this token.
pub(crate) fn usable(token: &JoinToken, now_unix_secs: i64) -> Result<(), JoinRefusal> {
    match token {
        JoinToken { revoked_at_unix_secs: Some(_), .. } => Err(JoinRefusal::TokenRevoked),
        JoinToken { expires_at_unix_secs, .. } if *expires_at_unix_secs <= now_unix_secs => Err(JoinRefusal::TokenExpired),
        JoinToken { uses_left: 0, .. } => Err(JoinRefusal::TokenExhausted),
        _ => Ok(()),
    }
}

/// The token with this secret, and whose it is.
pub(crate) async fn by_secret(connection: &mut SqliteConnection, secret_hash: &[u8; 32]) -> StoreResult<Option<(JoinToken, Address)>> {
    let query = sqlx::query("SELECT * FROM join_tokens WHERE secret_hash = ?").bind(secret_hash.as_slice());
    let row = query.fetch_optional(connection).await?;
    row.as_ref().map(|row| Ok((join_token(row)?, parsed(row, "wallet")?))).transpose()
}

async fn insert(connection: &mut SqliteConnection, new: &NewJoinToken) -> StoreResult<()> {
    let NewJoinToken { token, wallet, secret_hash } = new;
    sqlx::query(
        "INSERT INTO join_tokens (id, wallet, name, prefix, secret_hash, max_devices, created_at_unix_secs, expires_at_unix_secs)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(token.id.to_string())
    .bind(wallet.to_string())
    .bind(&token.name)
    .bind(&token.prefix)
    .bind(secret_hash.as_slice())
    .bind(token.max_devices)
    .bind(token.created_at_unix_secs)
    .bind(token.expires_at_unix_secs)
    .execute(&mut *connection)
    .await?;
    let detail = json!({ "max_devices": token.max_devices, "expires_at_unix_secs": token.expires_at_unix_secs });
    let (actor, subject) = (Actor::Wallet(*wallet), token.id.to_string());
    let entry = NewAudit { actor, action: AuditAction::JoinTokenCreated, subject, concerns: None, detail };
    audit::append(connection, &entry, token.created_at_unix_secs).await?;
    Ok(())
}

impl Store {
    /// Remembers a token; `false` when the wallet holds [`MAX_JOIN_TOKENS`] already. Drops the wallet's tokens that are long over.
    pub async fn join_token_insert(&self, new: &NewJoinToken) -> StoreResult<bool> {
        let wallet = new.wallet.to_string();
        let now_unix_secs = new.token.created_at_unix_secs;
        let mut transaction = self.write.begin().await?;
        let over = sqlx::query("DELETE FROM join_tokens WHERE wallet = ? AND coalesce(revoked_at_unix_secs, expires_at_unix_secs) < ?");
        over.bind(&wallet).bind(now_unix_secs - KEPT_SECS).execute(&mut *transaction).await?;
        let count = sqlx::query(
            "SELECT count(*) AS n FROM join_tokens
             WHERE wallet = ? AND expires_at_unix_secs > ? AND revoked_at_unix_secs IS NULL AND joined < max_devices",
        );
        let count = count.bind(&wallet).bind(now_unix_secs).fetch_one(&mut *transaction).await?;
        if number::<u32>(&count, "n")? >= MAX_JOIN_TOKENS {
            return Ok(false);
        }
        insert(&mut transaction, new).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A wallet's tokens, newest first: those that hold, and those that are over for less than 30 days.
    pub async fn join_tokens(&self, wallet: Address, now_unix_secs: i64) -> StoreResult<Vec<JoinToken>> {
        let query = sqlx::query(
            "SELECT * FROM join_tokens WHERE wallet = ? AND coalesce(revoked_at_unix_secs, expires_at_unix_secs) >= ? ORDER BY id DESC",
        );
        let query = query.bind(wallet.to_string()).bind(now_unix_secs - KEPT_SECS);
        query.fetch_all(&self.read).await?.iter().map(join_token).collect()
    }

    /// The wallet of a token with which a device may join now, or why it may not.
    pub async fn join_token_wallet(&self, secret_hash: &[u8; 32], now_unix_secs: i64) -> StoreResult<Result<Address, JoinRefusal>> {
        let mut connection = self.read.acquire().await?;
        let Some((token, wallet)) = by_secret(&mut connection, secret_hash).await? else { return Ok(Err(JoinRefusal::TokenInvalid)) };
        Ok(usable(&token, now_unix_secs).map(|()| wallet))
    }

    /// Revokes a token; devices that joined with it stay. `false` when the wallet has no such token; twice is once.
    pub async fn join_token_revoke(&self, wallet: Address, id: JoinTokenId, now_unix_secs: i64) -> StoreResult<bool> {
        let mut transaction = self.write.begin().await?;
        let query =
            sqlx::query("UPDATE join_tokens SET revoked_at_unix_secs = ?3 WHERE wallet = ?1 AND id = ?2 AND revoked_at_unix_secs IS NULL");
        let query = query.bind(wallet.to_string()).bind(id.to_string()).bind(now_unix_secs);
        if query.execute(&mut *transaction).await?.rows_affected() == 0 {
            let query = sqlx::query("SELECT 1 FROM join_tokens WHERE wallet = ? AND id = ?").bind(wallet.to_string()).bind(id.to_string());
            return Ok(query.fetch_optional(&mut *transaction).await?.is_some());
        }
        let (actor, subject) = (Actor::Wallet(wallet), id.to_string());
        let entry = NewAudit { actor, action: AuditAction::JoinTokenRevoked, subject, concerns: None, detail: json!({}) };
        audit::append(&mut transaction, &entry, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Remembers a code that a device asked for. Drops codes that are long over.
    pub async fn device_code_insert(&self, new: &NewDeviceCode, limits: CodeLimits) -> StoreResult<CodeInsert> {
        let NewDeviceCode { pending, secret_hash } = new;
        let now_unix_secs = pending.asked_at_unix_secs;
        let mut transaction = self.write.begin().await?;
        let over = sqlx::query("DELETE FROM device_codes WHERE expires_at_unix_secs < ?").bind(now_unix_secs - CODE_KEPT_SECS);
        over.execute(&mut *transaction).await?;
        let count = sqlx::query(
            "SELECT count(*) AS total, coalesce(sum(address = ?1), 0) AS here FROM device_codes
             WHERE expires_at_unix_secs > ?2 AND status != 'given'",
        );
        let count = count.bind(&pending.address).bind(now_unix_secs).fetch_one(&mut *transaction).await?;
        if number::<u32>(&count, "total")? >= limits.total || number::<u32>(&count, "here")? >= limits.per_address {
            return Ok(CodeInsert::Limit);
        }
        let inserted = sqlx::query(
            "INSERT INTO device_codes (secret_hash, user_code, label, address, asked_at_unix_secs, expires_at_unix_secs, status)
             VALUES (?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT DO NOTHING",
        )
        .bind(secret_hash.as_slice())
        .bind(pending.user_code.to_string())
        .bind(&pending.label)
        .bind(&pending.address)
        .bind(now_unix_secs)
        .bind(pending.expires_at_unix_secs)
        .execute(&mut *transaction)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(CodeInsert::Taken);
        }
        transaction.commit().await?;
        Ok(CodeInsert::Done)
    }

    /// The device that a user code stands for, if the code is not too old.
    pub async fn device_code(&self, user_code: UserCode, now_unix_secs: i64) -> StoreResult<Option<PendingDevice>> {
        let query = sqlx::query("SELECT * FROM device_codes WHERE user_code = ? AND expires_at_unix_secs > ?");
        let row = query.bind(user_code.to_string()).bind(now_unix_secs).fetch_optional(&self.read).await?;
        let pending = |row: &SqliteRow| {
            Ok(PendingDevice {
                user_code,
                label: row.try_get("label")?,
                address: row.try_get("address")?,
                asked_at_unix_secs: row.try_get("asked_at_unix_secs")?,
                expires_at_unix_secs: row.try_get("expires_at_unix_secs")?,
                status: status(row)?,
            })
        };
        row.as_ref().map(pending).transpose()
    }

    /// How far a device's code is, by the device's secret; `None` when there is none. Changes nothing.
    pub async fn device_code_status(&self, secret_hash: &[u8; 32], now_unix_secs: i64) -> StoreResult<Option<DeviceCodeStatus>> {
        let query = sqlx::query("SELECT * FROM device_codes WHERE secret_hash = ?").bind(secret_hash.as_slice());
        let Some(row) = query.fetch_optional(&self.read).await? else { return Ok(None) };
        let over = row.try_get::<i64, _>("expires_at_unix_secs")? <= now_unix_secs;
        let given = row.try_get::<&str, _>("status")? == "given";
        Ok(Some(if over || given { DeviceCodeStatus::Expired } else { status(&row)? }))
    }

    /// A wallet decides about a device.
    pub async fn device_code_decide(
        &self,
        user_code: UserCode,
        wallet: Address,
        approve: bool,
        now_unix_secs: i64,
    ) -> StoreResult<CodeDecision> {
        let mut transaction = self.write.begin().await?;
        let decided = sqlx::query(
            "UPDATE device_codes SET status = ?2, wallet = ?3 WHERE user_code = ?1 AND status = 'pending' AND expires_at_unix_secs > ?4
             RETURNING label, address",
        )
        .bind(user_code.to_string())
        .bind(if approve { "approved" } else { "denied" })
        .bind(wallet.to_string())
        .bind(now_unix_secs)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = decided else {
            let query = sqlx::query("SELECT 1 FROM device_codes WHERE user_code = ? AND expires_at_unix_secs > ?");
            let known = query.bind(user_code.to_string()).bind(now_unix_secs).fetch_optional(&mut *transaction).await?.is_some();
            return Ok(if known { CodeDecision::Decided } else { CodeDecision::Unknown });
        };
        let action = if approve { AuditAction::DeviceCodeApproved } else { AuditAction::DeviceCodeDenied };
        let (label, address): (Option<String>, String) = (row.try_get("label")?, row.try_get("address")?);
        let detail = json!({ "label": label, "address": address });
        let entry = NewAudit { actor: Actor::Wallet(wallet), action, subject: user_code.to_string(), concerns: None, detail };
        audit::append(&mut transaction, &entry, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(CodeDecision::Done)
    }

    /// Gives out the join token of an approved code, once: `token` is remembered for the wallet that approved, which is returned. `None` when
    /// there is nothing to give out.
    pub async fn device_code_give(&self, secret_hash: &[u8; 32], token: &JoinToken, token_hash: [u8; 32]) -> StoreResult<Option<Address>> {
        let mut transaction = self.write.begin().await?;
        let given = sqlx::query(
            "UPDATE device_codes SET status = 'given' WHERE secret_hash = ? AND status = 'approved' AND expires_at_unix_secs > ?
             RETURNING wallet",
        );
        let given = given.bind(secret_hash.as_slice()).bind(token.created_at_unix_secs).fetch_optional(&mut *transaction).await?;
        let Some(row) = given else { return Ok(None) };
        let wallet = parsed(&row, "wallet")?;
        insert(&mut transaction, &NewJoinToken { token: token.clone(), wallet, secret_hash: token_hash }).await?;
        transaction.commit().await?;
        Ok(Some(wallet))
    }
}

/// A code's status, not looking at its age.
fn status(row: &SqliteRow) -> StoreResult<DeviceCodeStatus> {
    match row.try_get("status")? {
        "pending" => Ok(DeviceCodeStatus::Pending),
        "approved" | "given" => Ok(DeviceCodeStatus::Approved),
        "denied" => Ok(DeviceCodeStatus::Denied),
        _ => Err(StoreError::Damaged { what: "status" }),
    }
}
