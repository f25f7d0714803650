//! How a device proves that it is still there: each heartbeat is signed with the device's own key, for one connection and one place in it.
//!
//! What is signed begins with the [`Session`], a digest of network, challenge and key, so a heartbeat says nothing on any other connection,
//! network or device. Its number must grow within the connection ([`Heartbeat::follows`]), so a repeated or reordered one says nothing
//! either. The device's clock is carried to be compared and is never believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// First words of what is signed, so that no signature of a device can be taken for one of another purpose.
const DOMAIN: &[u8; 25] = b"ionet agent heartbeat v1\n";
/// The same for the digest that names a connection.
const SESSION_DOMAIN: &[u8; 23] = b"ionet agent session v1\n";
/// Length of what is signed: domain, session, number, revision, clock, load.
const SIGNED_BYTES: usize = DOMAIN.len() + 32 + 3 * 8 + 5 * 2;

/// A whole, for shares in permille.
pub const PERMILLE: u16 = 1_000;

/// One connection of one device: SHA-256 of network, challenge and device key. Both sides compute it once, after the hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Session(pub [u8; 32]);

impl Session {
    /// The connection on which `public_key` answered `nonce` on `network`.
    pub fn new(network: &str, nonce: &str, public_key: &[u8; 32]) -> Self {
        let mut digest = Sha256::new();
        // Every part carries its length, so that no two connections give the same bytes.
        for part in [SESSION_DOMAIN.as_slice(), network.as_bytes(), nonce.as_bytes(), public_key] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

/// How busy the device was since its last heartbeat, in permille of the whole machine; of several GPUs the busiest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Load {
    /// Processors, all work together.
    pub cpu_permille: u16,
    /// GPU, all work together; 0 without one.
    pub gpu_permille: u16,
    /// Processors, work that is neither the tenant's, nor the agent's, nor a test of the hub.
    pub cpu_permille_foreign: u16,
    /// GPU, work that is neither the tenant's nor a test of the hub.
    pub gpu_permille_foreign: u16,
    /// Processes on the GPUs that are neither the tenant's nor a test of the hub.
    pub gpu_processes_foreign: u16,
}

impl Load {
    /// Whether every share is at most a whole, and the foreign part at most all of it.
    pub const fn is_well_formed(&self) -> bool {
        self.cpu_permille <= PERMILLE
            && self.gpu_permille <= PERMILLE
            && self.cpu_permille_foreign <= self.cpu_permille
            && self.gpu_permille_foreign <= self.gpu_permille
    }
}

/// An ed25519 signature; base64 on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeartbeatSignature(pub [u8; 64]);

impl std::fmt::Debug for HeartbeatSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl Serialize for HeartbeatSignature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for HeartbeatSignature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        // 64 bytes are 88 characters; the decoder wants room for what it estimates, which is at most two more.
        let mut bytes = [0; 66];
        match (text.len() == 88).then(|| STANDARD.decode_slice(text.as_bytes(), &mut bytes)) {
            Some(Ok(64)) => {}
            _ => return Err(de::Error::custom("a signature is 64 bytes in base64")),
        }
        let mut signature = [0; 64];
        signature.copy_from_slice(&bytes[..64]);
        Ok(Self(signature))
    }
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its number on this connection: greater than that of every heartbeat before it; the first is at least 1.
    pub sequence: u64,
    /// Revision of the desired state that the agent works on; 0 before the first.
    pub desired_revision: u64,
    /// The device's clock, in seconds since 1970. Recorded as skew, never believed.
    pub unix_secs: i64,
    /// How busy the device is.
    pub load: Load,
    /// Signature of the device's key over all of it and the connection.
    pub signature: HeartbeatSignature,
}

/// Why a heartbeat says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeartbeatError {
    /// The key is not an ed25519 public key.
    #[error("the device id is not a public key")]
    InvalidKey,
    /// The signature is not of this key, for this connection and this content.
    #[error("the signature does not prove the device's key on this connection")]
    InvalidSignature,
    /// It is a repetition, or came after one that was sent later.
    #[error("heartbeat {sequence} came after heartbeat {last}")]
    NotNew {
        /// Its number.
        sequence: u64,
        /// The greatest number so far.
        last: u64,
    },
    /// A share of the load is more than a whole.
    #[error("the load is out of bounds")]
    LoadOutOfBounds,
}

impl HeartbeatError {
    /// Stable code for the `code` field of a refusal and for logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidKey => "device_id_invalid",
            Self::InvalidSignature => "heartbeat_signature_invalid",
            Self::NotNew { .. } => "heartbeat_not_new",
            Self::LoadOutOfBounds => "heartbeat_load_out_of_bounds",
        }
    }
}

/// One heartbeat with what it is to be checked against.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    /// The heartbeat.
    pub heartbeat: &'a Heartbeat,
    /// The connection that it came on.
    pub session: &'a Session,
    /// The device's public key, as the hello of this connection proved it.
    pub public_key: &'a [u8; 32],
}

impl Heartbeat {
    /// Builds and signs a heartbeat. The caller keeps the number growing.
    pub fn sign(key: &SigningKey, session: &Session, sequence: u64, desired_revision: u64, unix_secs: i64, load: Load) -> Self {
        let mut this = Self { sequence, desired_revision, unix_secs, load, signature: HeartbeatSignature([0; 64]) };
        this.signature = HeartbeatSignature(key.sign(&this.signed_bytes(session)).to_bytes());
        this
    }

    /// Checks that it is newer than everything this connection has brought, of which `last` is the greatest number, 0 before the first.
    pub const fn follows(&self, last: u64) -> Result<(), HeartbeatError> {
        if self.sequence > last { Ok(()) } else { Err(HeartbeatError::NotNew { sequence: self.sequence, last }) }
    }

    /// Checks content and signature. The order is checked by [`Heartbeat::follows`].
    pub fn verify(&self, session: &Session, public_key: &[u8; 32]) -> Result<(), HeartbeatError> {
        if !self.load.is_well_formed() {
            return Err(HeartbeatError::LoadOutOfBounds);
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| HeartbeatError::InvalidKey)?;
        // Strict: refuses keys of small order, with which one signature fits many messages.
        key.verify_strict(&self.signed_bytes(session), &Signature::from_bytes(&self.signature.0))
            .map_err(|_| HeartbeatError::InvalidSignature)
    }

    fn signed_bytes(&self, session: &Session) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; SIGNED_BYTES];
        let mut rest = bytes.as_mut_slice();
        let load = &self.load;
        // Every part has a fixed length, so that no two heartbeats give the same bytes.
        let parts: [&[u8]; 10] = [
            DOMAIN,
            &session.0,
            &self.sequence.to_le_bytes(),
            &self.desired_revision.to_le_bytes(),
            &self.unix_secs.to_le_bytes(),
            &load.cpu_permille.to_le_bytes(),
            &load.gpu_permille.to_le_bytes(),
            &load.cpu_permille_foreign.to_le_bytes(),
            &load.gpu_permille_foreign.to_le_bytes(),
            &load.gpu_processes_foreign.to_le_bytes(),
        ];
        for part in parts {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
        bytes
    }
}

/// Checks content and signatures of many heartbeats together, which costs about half of checking them one by one. Each gets its own
/// answer: when the batch fails, its members are checked alone. The order within a connection is for [`Heartbeat::follows`].
///
/// The keys must have been proved by a hello, which refuses keys of small order. Then only who holds a key can bring a heartbeat through
/// a batch; a holder can make one that passes in some batches and not alone (a point of small order beside its own), which gains it
/// nothing, but whoever keeps a heartbeat as evidence should check it alone first.
pub fn verify_batch(claimed: &[Claimed<'_>]) -> Vec<Result<(), HeartbeatError>> {
    let alone = |one: &Claimed<'_>| one.heartbeat.verify(one.session, one.public_key);
    if claimed.len() < 2 {
        return claimed.iter().map(alone).collect();
    }
    let mut messages = Vec::with_capacity(claimed.len());
    let mut signatures = Vec::with_capacity(claimed.len());
    let mut keys = Vec::with_capacity(claimed.len());
    for one in claimed {
        match VerifyingKey::from_bytes(one.public_key) {
            Ok(key) if one.heartbeat.load.is_well_formed() && !key.is_weak() => {
                messages.push(one.heartbeat.signed_bytes(one.session));
                signatures.push(Signature::from_bytes(&one.heartbeat.signature.0));
                keys.push(key);
            }
            _ => return claimed.iter().map(alone).collect(),
        }
    }
    let messages: Vec<&[u8]> = messages.iter().map(<[u8; SIGNED_BYTES]>::as_slice).collect();
    match ed25519_dalek::verify_batch(&messages, &signatures, &keys) {
        Ok(()) => vec![Ok(()); claimed.len()],
        Err(_) => claimed.iter().map(alone).collect(),
    }
}

#[cfg(test)]
#[path = "heartbeat_tests.rs"]
mod tests;
