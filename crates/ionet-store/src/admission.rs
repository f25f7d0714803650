//! Who is let in: the first time by a join token, afterwards by a credential that changes with every connection.
//!
//! The credential shows a copied key. The hub keeps the hash of the last credential that the device *presented* and of the one that it
//! *offered* after that, which the device may or may not have received. A device that presents either is the one that was here last. Once
//! it has presented the offered one, the older is dead: whoever comes with that, or with none, holds a copy of the key and not of the
//! device.

use ionet_types::audit::{Actor, AuditAction};
use ionet_types::joins::JoinRefusal;
use ionet_types::{Address, DeviceId, JoinTokenId};
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use crate::audit::{self, NewAudit};
use crate::{Reported, Store, StoreError, StoreResult, devices, joins};

/// What a device brings to be let in.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// SHA-256 of its join token.
    pub token_hash: Option<[u8; 32]>,
    /// SHA-256 of its credential.
    pub credential_hash: Option<[u8; 32]>,
    /// SHA-256 of the credential that it is to get now.
    pub offered_hash: [u8; 32],
    /// Whether a device needs no join token.
    pub open: bool,
    /// Network address that it comes from, for the audit log.
    pub address: &'a str,
}

/// A device that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Whether it is here for the first time.
    pub is_new: bool,
    /// The wallet that it belongs to.
    pub owner: Option<Address>,
    /// Somebody else has come with its key, and its owner has not said that all is well.
    pub is_suspect: bool,
}

/// The credentials that the hub knows of a device, by their hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Credentials {
    confirmed: Option<[u8; 32]>,
    offered: Option<[u8; 32]>,
}

impl Credentials {
    /// What is known after the device has presented `presented` and is offered `next`; `None` when what it presented is not its last.
    fn rotate(self, presented: Option<[u8; 32]>, next: [u8; 32]) -> Option<Self> {
        let Self { confirmed, offered } = self;
        let confirmed = match presented {
            // The last offer has arrived.
            Some(_) if presented == offered => presented,
            // It was lost on its way.
            Some(_) if presented == confirmed => presented,
            // Nothing was ever confirmed, so the first offer may have been lost.
            None if confirmed.is_none() => None,
            // The hub knows of no credential: the owner has reset it, or the device is older than credentials.
            Some(_) if confirmed.is_none() && offered.is_none() => None,
            _ => return None,
        };
        Some(Self { confirmed, offered: Some(next) })
    }
}

/// To whom a device belongs, from what is known of it, the wallet of its join token, and what it declares.
fn owner_of(known: Option<Address>, token: Option<Address>, declared: Option<Address>) -> Result<Option<Address>, JoinRefusal> {
    let owner = known.or(token).or(declared);
    let agrees = |said: Option<Address>| said.is_none() || said == owner;
    if agrees(declared) && agrees(token) { Ok(owner) } else { Err(JoinRefusal::OwnerMismatch) }
}

fn hash(row: &SqliteRow, column: &'static str) -> StoreResult<Option<[u8; 32]>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|bytes| bytes.try_into().map_err(|_| StoreError::Damaged { what: column })).transpose()
}

impl Store {
    /// Lets a device in that has proved its key, and takes over what it reports; or says why not. What is refused changes nothing, but for
    /// [`JoinRefusal::CredentialReused`], which is remembered until the owner resets the credential.
    pub async fn device_admit(
        &self,
        id: DeviceId,
        reported: &Reported<'_>,
        presented: &Presented<'_>,
        now_unix_secs: i64,
    ) -> StoreResult<Result<Admitted, JoinRefusal>> {
        let mut transaction = self.write.begin().await?;
        // The first statement must write.
        let known = sqlx::query("UPDATE devices SET last_seen_unix_secs = max(last_seen_unix_secs, ?2) WHERE id = ?1 RETURNING owner");
        let known = known.bind(id.to_string()).bind(now_unix_secs).fetch_optional(&mut *transaction).await?;
        let admitted = match known {
            None => join(&mut transaction, id, reported, presented, now_unix_secs).await?,
            Some(_) => come_back(&mut transaction, id, reported, presented, now_unix_secs).await?,
        };
        if matches!(admitted, Ok(_) | Err(JoinRefusal::CredentialReused)) {
            transaction.commit().await?;
        }
        Ok(admitted)
    }

    /// The owner lets a device enrol again: its credentials are forgotten, and that they were used twice. `None` when there
    /// is no such device, `false` when it is not this wallet's.
    pub async fn credential_reset(&self, id: DeviceId, owner: Address, now_unix_secs: i64) -> StoreResult<Option<bool>> {
        let mut transaction = self.write.begin().await?;
        let reset = sqlx::query(
            "UPDATE admissions SET confirmed_hash = NULL, offered_hash = NULL, reused_at_unix_secs = NULL
             WHERE device_id = ?1 AND EXISTS (SELECT 1 FROM devices WHERE id = ?1 AND owner = ?2)",
        );
        reset.bind(id.to_string()).bind(owner.to_string()).execute(&mut *transaction).await?;
        let known = sqlx::query("SELECT owner = ?2 AS own FROM devices WHERE id = ?1").bind(id.to_string()).bind(owner.to_string());
        let Some(row) = known.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        if !row.try_get::<Option<bool>, _>("own")?.unwrap_or(false) {
            return Ok(Some(false));
        }
        let actor = Actor::Wallet(owner);
        let entry = NewAudit { actor, action: AuditAction::CredentialReset, subject: id.to_string(), concerns: None, detail: json!({}) };
        audit::append(&mut transaction, &entry, now_unix_secs).await?;
        transaction.commit().await?;
        Ok(Some(true))
    }

    /// When somebody first came with a device's key and not with its credential, unix seconds; `None` when nobody did since the last reset.
    pub async fn credential_reused_at(&self, id: DeviceId) -> StoreResult<Option<i64>> {
        let query = sqlx::query("SELECT reused_at_unix_secs FROM admissions WHERE device_id = ?").bind(id.to_string());
        Ok(query.fetch_optional(&self.read).await?.map(|row| row.try_get("reused_at_unix_secs")).transpose()?.flatten())
    }
}

/// A device that is not known.
async fn join(
    connection: &mut SqliteConnection,
    id: DeviceId,
    reported: &Reported<'_>,
    presented: &Presented<'_>,
    now_unix_secs: i64,
) -> StoreResult<Result<Admitted, JoinRefusal>> {
    let (token, wallet) = match &presented.token_hash {
        None if presented.open => (None, None),
        None => return Ok(Err(JoinRefusal::TokenMissing)),
        Some(secret_hash) => match use_token(connection, secret_hash, now_unix_secs).await? {
            Ok((token, wallet)) => (Some(token), Some(wallet)),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let owner = match owner_of(None, wallet, reported.declared.owner) {
        Ok(owner) => owner,
        Err(refusal) => return Ok(Err(refusal)),
    };
    upsert(connection, id, reported, owner, now_unix_secs).await?;
    let credentials = Credentials { confirmed: None, offered: Some(presented.offered_hash) };
    remember(connection, id, token, credentials, now_unix_secs).await?;
    let token = token.map(|token| token.to_string());
    let entry = NewAudit {
        actor: Actor::Device(id),
        action: AuditAction::DeviceJoined,
        subject: id.to_string(),
        concerns: owner,
        detail: json!({ "join_token": token, "address": presented.address }),
    };
    audit::append(connection, &entry, now_unix_secs).await?;
    Ok(Ok(Admitted { is_new: true, owner, is_suspect: false }))
}

/// Counts one more device on a token, if it holds. The transaction has written before, so nobody can count at the same time.
async fn use_token(
    connection: &mut SqliteConnection,
    secret_hash: &[u8; 32],
    now_unix_secs: i64,
) -> StoreResult<Result<(JoinTokenId, Address), JoinRefusal>> {
    let Some((token, wallet)) = joins::by_secret(connection, secret_hash).await? else { return Ok(Err(JoinRefusal::TokenInvalid)) };
    if let Err(refusal) = joins::usable(&token, now_unix_secs) {
        return Ok(Err(refusal));
    }
    let query = sqlx::query("UPDATE join_tokens SET joined = joined + 1 WHERE id = ?").bind(token.id.to_string());
    query.execute(connection).await?;
    Ok(Ok((token.id, wallet)))
}

/// A device that was here before.
async fn come_back(
    connection: &mut SqliteConnection,
    id: DeviceId,
    reported: &Reported<'_>,
    presented: &Presented<'_>,
    now_unix_secs: i64,
) -> StoreResult<Result<Admitted, JoinRefusal>> {
    let known_owner = devices::owner(connection, id).await?;
    let query =
        sqlx::query("SELECT confirmed_hash, offered_hash, reused_at_unix_secs FROM admissions WHERE device_id = ?").bind(id.to_string());
    let row = query.fetch_optional(&mut *connection).await?;
    let credentials = match &row {
        Some(row) => Credentials { confirmed: hash(row, "confirmed_hash")?, offered: hash(row, "offered_hash")? },
        None => Credentials::default(),
    };
    let reused_at: Option<i64> = row.as_ref().map(|row| row.try_get("reused_at_unix_secs")).transpose()?.flatten();
    let is_suspect = reused_at.is_some();
    let Some(credentials) = credentials.rotate(presented.credential_hash, presented.offered_hash) else {
        reused(connection, id, known_owner, presented, now_unix_secs).await?;
        return Ok(Err(JoinRefusal::CredentialReused));
    };
    // A token is of use to a device that belongs to nobody yet; for all others it changes nothing.
    let (token, wallet) = match &presented.token_hash {
        Some(secret_hash) if known_owner.is_none() => match use_token(connection, secret_hash, now_unix_secs).await? {
            Ok((token, wallet)) => (Some(token), Some(wallet)),
            Err(refusal) => return Ok(Err(refusal)),
        },
        _ => (None, None),
    };
    let owner = match owner_of(known_owner, wallet, reported.declared.owner) {
        Ok(owner) => owner,
        // Where nobody is asked for a token, a device names its owner itself, and may name another.
        Err(_) if presented.open => reported.declared.owner,
        Err(refusal) => return Ok(Err(refusal)),
    };
    upsert(connection, id, reported, owner, now_unix_secs).await?;
    remember(connection, id, token, credentials, now_unix_secs).await?;
    Ok(Ok(Admitted { is_new: false, owner, is_suspect }))
}

async fn upsert(
    connection: &mut SqliteConnection,
    id: DeviceId,
    reported: &Reported<'_>,
    owner: Option<Address>,
    now_unix_secs: i64,
) -> StoreResult<()> {
    let mut reported = *reported;
    reported.declared.owner = owner;
    devices::upsert(connection, id, &reported, now_unix_secs).await
}

async fn remember(
    connection: &mut SqliteConnection,
    id: DeviceId,
    token: Option<JoinTokenId>,
    credentials: Credentials,
    now_unix_secs: i64,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO admissions (device_id, join_token, admitted_at_unix_secs, confirmed_hash, offered_hash) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (device_id) DO UPDATE SET join_token = coalesce(?2, join_token), confirmed_hash = ?4, offered_hash = ?5",
    )
    .bind(id.to_string())
    .bind(token.map(|token| token.to_string()))
    .bind(now_unix_secs)
    .bind(credentials.confirmed.as_ref().map(<[u8; 32]>::as_slice))
    .bind(credentials.offered.as_ref().map(<[u8; 32]>::as_slice))
    .execute(connection)
    .await?;
    Ok(())
}

/// Somebody holds a copy of the device's key. The first such attempt is remembered, and stands in the audit log.
async fn reused(
    connection: &mut SqliteConnection,
    id: DeviceId,
    owner: Option<Address>,
    presented: &Presented<'_>,
    now_unix_secs: i64,
) -> StoreResult<()> {
    let first = sqlx::query("UPDATE admissions SET reused_at_unix_secs = ?2 WHERE device_id = ?1 AND reused_at_unix_secs IS NULL");
    let first = first.bind(id.to_string()).bind(now_unix_secs).execute(&mut *connection).await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    let entry = NewAudit {
        actor: Actor::Device(id),
        action: AuditAction::CredentialReused,
        subject: id.to_string(),
        concerns: owner,
        detail: json!({ "address": presented.address, "credential_given": presented.credential_hash.is_some() }),
    };
    audit::append(connection, &entry, now_unix_secs).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_good_until_the_next_one_was_presented() {
        let [h1, h2, h3, h7, h9] = [1_u8, 2, 3, 7, 9].map(|byte| Some([byte; 32]));
        let known = |confirmed, offered| Credentials { confirmed, offered };
        for (before, presented, after) in [
            // A device that is older than credentials, or was reset.
            (known(None, None), None, Some(known(None, h9))),
            (known(None, None), h1, Some(known(None, h9))),
            // The first offer: lost, arrived, or somebody else's.
            (known(None, h1), None, Some(known(None, h9))),
            (known(None, h1), h1, Some(known(h1, h9))),
            (known(None, h1), h2, None),
            // Later ones: lost, arrived, too old, none, invented.
            (known(h1, h2), h1, Some(known(h1, h9))),
            (known(h1, h2), h2, Some(known(h2, h9))),
            (known(h2, h3), h1, None),
            (known(h2, h3), None, None),
            (known(h2, h3), h7, None),
        ] {
            assert_eq!(before.rotate(presented, [9; 32]), after, "{before:?} {presented:?}");
        }
    }

    #[test]
    fn only_those_who_agree_name_an_owner() {
        let (a, b) = (Some(Address([1; 32])), Some(Address([2; 32])));
        for (known, token, declared, owner) in [
            (None, None, None, Ok(None)),
            (None, a, None, Ok(a)),
            (None, None, a, Ok(a)),
            (None, a, a, Ok(a)),
            (None, a, b, Err(JoinRefusal::OwnerMismatch)),
            (a, None, None, Ok(a)),
            (a, None, a, Ok(a)),
            (a, None, b, Err(JoinRefusal::OwnerMismatch)),
            (a, b, None, Err(JoinRefusal::OwnerMismatch)),
        ] {
            assert_eq!(owner_of(known, token, declared), owner, "{known:?} {token:?} {declared:?}");
        }
    }
}
