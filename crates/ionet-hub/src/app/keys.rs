//! API keys: made and revoked with the wallet's own session, never by a key.

use ionet_store::NewApiKey;
use ionet_types::KeyId;
use ionet_types::keys::{ApiKey, CreateKeyRequest, CreatedKey, KEY_PREFIX, KeyList, MAX_KEY_NAME_BYTES};
use ionet_types::problem::Code;

use super::sign_in::{hash, secret};
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

/// How long a key holds unless its maker says otherwise: 90 days.
const DEFAULT_EXPIRES_IN_SECS: u32 = 90 * 24 * 3_600;
/// How long a key may hold: a minute to a year.
const EXPIRES_IN_SECS: std::ops::RangeInclusive<u32> = 60..=365 * 24 * 3_600;
/// Characters of the secret that the list shows.
const SHOWN: usize = KEY_PREFIX.len() + 6;

impl Hub {
    /// Makes a key. Its secret is in this answer and nowhere else.
    pub async fn key_create(&self, caller: &Caller, request: &CreateKeyRequest) -> HubResult<CreatedKey> {
        caller.is_wallet()?;
        let CreateKeyRequest { name, scope, expires_in_secs } = request;
        if name.is_empty() || name.len() > MAX_KEY_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(HubError::field(format!("name is 1 to {MAX_KEY_NAME_BYTES} bytes without control characters")));
        }
        let expires_in_secs = expires_in_secs.unwrap_or(DEFAULT_EXPIRES_IN_SECS);
        if !EXPIRES_IN_SECS.contains(&expires_in_secs) {
            return Err(HubError::field("expires_in_secs is a minute to a year"));
        }
        let secret = secret(KEY_PREFIX);
        let now_unix_secs = self.clock().now_unix_secs();
        let key = ApiKey {
            id: KeyId::new(),
            name: name.clone(),
            prefix: secret[..SHOWN].to_owned(),
            scope: *scope,
            created_at_unix_secs: now_unix_secs,
            expires_at_unix_secs: now_unix_secs.saturating_add(i64::from(expires_in_secs)),
        };
        let new = NewApiKey { key: key.clone(), wallet: caller.wallet, secret_hash: hash(&secret) };
        if self.store().api_key_insert(&new).await? { Ok(CreatedKey { key, secret }) } else { Err(Code::KeyLimit.into()) }
    }

    /// The caller's keys that hold.
    pub async fn key_list(&self, caller: &Caller) -> HubResult<KeyList> {
        Ok(KeyList { items: self.store().api_keys(caller.wallet, self.clock().now_unix_secs()).await? })
    }

    /// Revokes a key, at once and for good.
    pub async fn key_revoke(&self, caller: &Caller, id: KeyId) -> HubResult<()> {
        caller.is_wallet()?;
        if self.store().api_key_revoke(caller.wallet, id).await? { Ok(()) } else { Err(Code::KeyNotFound.into()) }
    }
}
