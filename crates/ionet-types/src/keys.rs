//! Sign-in by wallet and API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{Address, KeyId};

/// First characters of every API key's secret.
pub const KEY_PREFIX: &str = "ionet_";
/// First characters of every session's token.
pub const SESSION_PREFIX: &str = "ionets_";
/// Longest name of an API key, bytes.
pub const MAX_KEY_NAME_BYTES: usize = 64;

/// Who wants to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRequest {
    /// The wallet.
    pub wallet: Address,
}

/// The text to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Challenge {
    /// A Sign-In With Solana message: sign its UTF-8 bytes with the wallet's key, unchanged.
    pub message: String,
    /// Until when it can be used, unix seconds; once only.
    pub expires_at_unix_secs: i64,
}

/// The signed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The challenge's message, unchanged.
    pub message: String,
    /// The wallet's ed25519 signature over it, base58.
    pub signature: String,
}

/// A session: a short-lived right to act for a wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The bearer token. Shown once.
    pub token: String,
    /// For which wallet.
    pub wallet: Address,
    /// Until when it holds, unix seconds.
    pub expires_at_unix_secs: i64,
}

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look only.
    Read,
    /// Look, book, end clusters and submit jobs. Never sign: only the wallet spends.
    Write,
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeyRequest {
    /// A name for the owner's own use, 1 to 64 bytes.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// For how long, seconds; 90 days when absent, at most a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 31_536_000)]
    pub expires_in_secs: Option<u32>,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// The first characters of its secret, to recognise it by.
    #[schema(example = "ionet_7Gq4zR")]
    pub prefix: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was made, unix seconds.
    pub created_at_unix_secs: i64,
    /// Until when it holds, unix seconds.
    pub expires_at_unix_secs: i64,
}

/// A new API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// The bearer token. Shown once; only its hash is kept.
    pub secret: String,
}

/// All keys of a wallet that hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyList {
    /// The keys, newest first.
    pub items: Vec<ApiKey>,
}
