//! The audit log: entries are added, in the transaction of the write that they tell of, and never touched again.

use std::path::Path;

use ionet_types::audit::{Actor, AuditAction, AuditBreak, AuditEntry, AuditHead, AuditLink, AuditWalk, MAX_AUDIT_DETAIL_BYTES};
use ionet_types::{Address, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use crate::{Store, StoreError, StoreResult, integer, number, parsed};

/// Entries that are read at once while the log is walked.
const WALK_ROWS: u32 = 1_000;

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAudit {
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: AuditAction,
    /// To what: a device, a token, a path.
    pub subject: String,
    /// The wallet that it concerns beside the actor, and that may read it.
    pub concerns: Option<Address>,
    /// More about it; cut to nothing where it would be longer than [`MAX_AUDIT_DETAIL_BYTES`].
    pub detail: serde_json::Value,
}

fn entry(row: &SqliteRow, previous: Sha256) -> StoreResult<AuditEntry> {
    let concerns: Option<String> = row.try_get("concerns")?;
    Ok(AuditEntry {
        sequence: number(row, "sequence")?,
        at_unix_secs: row.try_get("at_unix_secs")?,
        actor: parsed(row, "actor")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        concerns: concerns.map(|wallet| wallet.parse().map_err(|_| StoreError::Damaged { what: "concerns" })).transpose()?,
        detail: row.try_get("detail")?,
        salt: row.try_get("salt")?,
        previous,
        hash: sha256(row, "hash")?,
    })
}

fn sha256(row: &SqliteRow, column: &'static str) -> StoreResult<Sha256> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map(Sha256).map_err(|_| StoreError::Damaged { what: column })
}

fn head(row: &SqliteRow) -> StoreResult<AuditHead> {
    Ok(AuditHead { sequence: number(row, "sequence")?, hash: sha256(row, "hash")? })
}

/// Adds an entry within the transaction that `connection` is in.
pub(crate) async fn append(connection: &mut SqliteConnection, new: &NewAudit, now_unix_secs: i64) -> StoreResult<AuditHead> {
    let last = sqlx::query("UPDATE audit_head SET sequence = sequence WHERE id = 1 RETURNING sequence, hash");
    let last = head(&last.fetch_one(&mut *connection).await?)?;
    let mut detail = new.detail.to_string();
    if detail.len() > MAX_AUDIT_DETAIL_BYTES {
        "{}".clone_into(&mut detail);
    }
    let mut entry = AuditEntry {
        sequence: last.sequence + 1,
        at_unix_secs: now_unix_secs,
        actor: new.actor,
        action: new.action.code().to_owned(),
        subject: new.subject.clone(),
        concerns: new.concerns,
        detail,
        salt: format!("{:032x}", rand::random::<u128>()),
        previous: last.hash,
        hash: last.hash,
    };
    let next = last.after(entry.link());
    entry.hash = next.hash;
    sqlx::query(
        "INSERT INTO audit (sequence, at_unix_secs, actor, action, subject, concerns, detail, salt, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(integer(entry.sequence, "sequence")?)
    .bind(entry.at_unix_secs)
    .bind(entry.actor.to_string())
    .bind(&entry.action)
    .bind(&entry.subject)
    .bind(entry.concerns.map(|wallet| wallet.to_string()))
    .bind(&entry.detail)
    .bind(&entry.salt)
    .bind(entry.hash.0.as_slice())
    .execute(&mut *connection)
    .await?;
    let query = sqlx::query("UPDATE audit_head SET sequence = ?, hash = ? WHERE id = 1");
    query.bind(integer(next.sequence, "sequence")?).bind(next.hash.0.as_slice()).execute(&mut *connection).await?;
    Ok(next)
}

impl Store {
    /// Adds an entry about something that is in no table.
    pub async fn audit_append(&self, new: &NewAudit, now_unix_secs: i64) -> StoreResult<AuditHead> {
        let mut transaction = self.write.begin().await?;
        let head = append(&mut transaction, new, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(head)
    }

    /// The log's last entry.
    pub async fn audit_head(&self) -> StoreResult<AuditHead> {
        head(&sqlx::query("SELECT sequence, hash FROM audit_head WHERE id = 1").fetch_one(&self.read).await?)
    }

    /// Entries of which a wallet is the actor or that concern it, newest first, before `before`.
    pub async fn audit_of(&self, wallet: Address, before: Option<u64>, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        let before = before.map_or(Ok(i64::MAX), |before| integer(before, "sequence"))?;
        let rows = sqlx::query(
            "SELECT audit.*, coalesce((SELECT hash FROM audit AS older WHERE older.sequence = audit.sequence - 1), zeroblob(32)) AS previous
             FROM audit WHERE (actor = ?1 OR concerns = ?2) AND sequence < ?3 ORDER BY sequence DESC LIMIT ?4",
        )
        .bind(Actor::Wallet(wallet).to_string())
        .bind(wallet.to_string())
        .bind(before)
        .bind(limit)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| entry(row, sha256(row, "previous")?)).collect()
    }

    /// What everybody may see of the entries after `after`, oldest first.
    pub async fn audit_links(&self, after: u64, limit: u32) -> StoreResult<Vec<AuditLink>> {
        let query = sqlx::query("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?");
        let rows = query.bind(integer(after, "sequence")?).bind(limit).fetch_all(&self.read).await?;
        rows.iter().map(|row| Ok(entry(row, Sha256([0; 32]))?.link())).collect()
    }
}

/// What came of checking a log.
pub type AuditVerdict = Result<AuditHead, AuditBreak>;

/// Walks the audit log in a hub's database file from its first entry to its last, without changing anything. `kept` is a head that somebody
/// kept from earlier: the log must pass through it.
pub async fn audit_verify(path: &Path, kept: Option<AuditHead>) -> StoreResult<AuditVerdict> {
    let mut connection = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    let said = head(&sqlx::query("SELECT sequence, hash FROM audit_head WHERE id = 1").fetch_one(&mut connection).await?)?;
    let mut walk = AuditWalk::new(kept);
    let (mut last, mut previous) = (i64::MIN, AuditHead::EMPTY.hash);
    loop {
        let query = sqlx::query("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?");
        let rows = query.bind(last).bind(WALK_ROWS).fetch_all(&mut connection).await?;
        for row in &rows {
            last = row.try_get("sequence")?;
            // A row that cannot even be read is one that was not written so.
            let Ok(entry) = entry(row, previous) else { return Ok(Err(AuditBreak::Changed { sequence: last.unsigned_abs() })) };
            if let Err(broken) = walk.entry(&entry) {
                return Ok(Err(broken));
            }
            previous = entry.hash;
        }
        if rows.len() < WALK_ROWS as usize {
            return Ok(walk.end(Some(said)));
        }
    }
}
