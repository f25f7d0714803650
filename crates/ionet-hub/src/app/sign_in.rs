//! Sign-in with a wallet: the hub issues a text, the wallet signs it, the hub opens a session. And: who a bearer token belongs to.

use ed25519_dalek::{Signature, VerifyingKey};
use ionet_types::Address;
use ionet_types::keys::{Challenge, ChallengeRequest, KEY_PREFIX, SESSION_PREFIX, Scope, Session, SessionRequest};
use ionet_types::problem::Code;
use sha2::{Digest as _, Sha256};

use crate::Hub;
use crate::caller::{Caller, Via};
use crate::error::{HubError, HubResult};

/// How long a challenge holds.
const CHALLENGE_SECS: i64 = 10 * 60;
/// How long a session holds: a day.
const SESSION_SECS: i64 = 24 * 3_600;
/// Longest message that can be one of ours.
const MAX_MESSAGE_BYTES: usize = 2_048;
/// Longest token that can be one of ours.
const MAX_TOKEN_BYTES: usize = 128;

/// A new secret that starts so.
pub(crate) fn secret(prefix: &str) -> String {
    format!("{prefix}{}", bs58::encode(rand::random::<[u8; 32]>()).into_string())
}

/// What is kept of a secret. It has 256 random bits, so a plain hash cannot be turned back.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Hub {
    /// Issues the text that a wallet signs to open a session: Sign-In With Solana.
    pub async fn challenge_create(&self, request: &ChallengeRequest) -> HubResult<Challenge> {
        let now_unix_secs = self.clock().now_unix_secs();
        let expires_at_unix_secs = now_unix_secs.saturating_add(CHALLENGE_SECS);
        let time = |unix_secs| jiff::Timestamp::from_second(unix_secs).map_err(HubError::internal);
        let uri = &self.options().public_url;
        let domain = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest).trim_end_matches('/');
        let message = format!(
            "{domain} wants you to sign in with your Solana account:\n\
             {wallet}\n\
             \n\
             Sign in. This moves no money.\n\
             \n\
             URI: {uri}\n\
             Version: 1\n\
             Nonce: {nonce}\n\
             Issued At: {issued_at}\n\
             Expiration Time: {expires_at}",
            wallet = request.wallet,
            nonce = bs58::encode(rand::random::<[u8; 16]>()).into_string(),
            issued_at = time(now_unix_secs)?,
            expires_at = time(expires_at_unix_secs)?,
        );
        self.store().challenge_insert(&message, request.wallet, expires_at_unix_secs, now_unix_secs).await?;
        Ok(Challenge { message, expires_at_unix_secs })
    }

    /// Opens a session for the wallet that signed a challenge. Each challenge opens one.
    pub async fn session_create(&self, request: &SessionRequest) -> HubResult<Session> {
        let SessionRequest { message, signature } = request;
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(Code::ChallengeInvalid.into());
        }
        let now_unix_secs = self.clock().now_unix_secs();
        let wallet = self.store().challenge(message, now_unix_secs).await?.ok_or(Code::ChallengeInvalid)?;
        if !is_signed_by(wallet, message, signature) {
            return Err(Code::SignatureInvalid.into());
        }
        let token = secret(SESSION_PREFIX);
        let expires_at_unix_secs = now_unix_secs.saturating_add(SESSION_SECS);
        if !self.store().session_open(message, &hash(&token), wallet, expires_at_unix_secs, now_unix_secs).await? {
            return Err(Code::ChallengeInvalid.into());
        }
        Ok(Session { token, wallet, expires_at_unix_secs })
    }

    /// Who presents this bearer token: a session's, or an API key's secret.
    pub async fn authenticate(&self, bearer: &str) -> HubResult<Caller> {
        let unauthenticated = || HubError::from(Code::Unauthenticated);
        if bearer.len() > MAX_TOKEN_BYTES {
            return Err(unauthenticated());
        }
        let now_unix_secs = self.clock().now_unix_secs();
        if bearer.starts_with(SESSION_PREFIX) {
            let wallet = self.store().session(&hash(bearer), now_unix_secs).await?.ok_or_else(unauthenticated)?;
            return Ok(Caller { wallet, scope: Scope::Write, via: Via::Session });
        }
        if bearer.starts_with(KEY_PREFIX) {
            let (key, wallet) = self.store().api_key_by_secret(&hash(bearer), now_unix_secs).await?.ok_or_else(unauthenticated)?;
            return Ok(Caller { wallet, scope: key.scope, via: Via::Key(key.id) });
        }
        Err(unauthenticated())
    }
}

fn is_signed_by(wallet: Address, message: &str, signature: &str) -> bool {
    let mut bytes = [0; Signature::BYTE_SIZE];
    let fits = signature.len() <= 2 * Signature::BYTE_SIZE && bs58::decode(signature).onto(&mut bytes) == Ok(Signature::BYTE_SIZE);
    let Ok(key) = VerifyingKey::from_bytes(&wallet.0) else { return false };
    fits && key.verify_strict(message.as_bytes(), &Signature::from_bytes(&bytes)).is_ok()
}
