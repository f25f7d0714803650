//! How a device proves who it is: it signs the hub's challenge with the key that was made on the device and never leaves it, and with it
//! everything that it says of itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Hardware, MAX_LABEL_BYTES, PROTOCOL_VERSION, ProtocolError, at_most};
use crate::ids::Address;
use crate::market::Location;

/// Longest nonce of a challenge in bytes.
pub const MAX_NONCE_BYTES: usize = 128;
/// Longest name of a network in bytes.
pub const MAX_NETWORK_BYTES: usize = 64;
/// Longest introduction in bytes.
pub const MAX_INTRODUCTION_BYTES: usize = 64 << 10;
/// Longest join token or credential in bytes.
pub const MAX_SECRET_BYTES: usize = 128;

/// First words of what is signed, so that no signature of a device can be taken for one of another purpose.
const DOMAIN: &[u8] = b"ionet agent hello v3";

/// Who is calling, with what, and the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the messages that the agent speaks.
    pub protocol: u16,
    /// Base58 of the device's ed25519 public key: the device's name everywhere.
    pub device_id: String,
    /// Base64 of the signature over nonce, network, key and introduction.
    pub signature: String,
    /// What the device says of itself.
    pub introduction: Signed,
}

/// What a device says of itself when it connects. All of it is signed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// Version of the agent's program.
    pub agent_version: String,
    /// What the agent found on the device.
    pub hardware: Hardware,
    /// Name that the supplier gave the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where the device is.
    #[serde(default, skip_serializing_if = "Location::is_unknown")]
    pub location: Location,
    /// Several customers may share the device, each with GPUs of its own; its supplier has said so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// What the device declares about itself.
    #[serde(flatten)]
    pub declared: Declared,
    /// What lets a device in that the hub does not know yet: a secret that its owner was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_token: Option<String>,
    /// The secret that the hub gave this device last. It changes with every connection, so that a copied key shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl Introduction {
    /// Says no more than what it must.
    pub fn new(agent_version: impl Into<String>, hardware: Hardware) -> Self {
        Self {
            agent_version: agent_version.into(),
            hardware,
            label: None,
            location: Location::UNKNOWN,
            shared: false,
            declared: Declared::default(),
            join_token: None,
            credential: None,
        }
    }

    fn check(&self) -> Result<(), ProtocolError> {
        at_most("hello.agent_version", self.agent_version.len(), MAX_LABEL_BYTES)?;
        at_most("hello.label", self.label.as_ref().map_or(0, String::len), MAX_LABEL_BYTES)?;
        at_most("hello.join_token", self.join_token.as_ref().map_or(0, String::len), MAX_SECRET_BYTES)?;
        at_most("hello.credential", self.credential.as_ref().map_or(0, String::len), MAX_SECRET_BYTES)?;
        self.hardware.check()
    }
}

// Secrets stay out of logs.
impl std::fmt::Debug for Introduction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given = |secret: &Option<String>| if secret.is_some() { "given" } else { "none" };
        f.debug_struct("Introduction")
            .field("agent_version", &self.agent_version)
            .field("hardware", &self.hardware)
            .field("label", &self.label)
            .field("location", &self.location)
            .field("shared", &self.shared)
            .field("declared", &self.declared)
            .field("join_token", &given(&self.join_token))
            .field("credential", &given(&self.credential))
            .finish()
    }
}

/// An introduction together with the text that was signed: what a newer agent says beyond what this version knows is signed, too.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signed {
    text: String,
    said: Introduction,
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.said.fmt(f)
    }
}

impl Signed {
    /// What is said.
    pub fn said(&self) -> &Introduction {
        &self.said
    }

    /// What is said, for its new owner.
    pub fn into_said(self) -> Introduction {
        self.said
    }

    /// The text that was signed.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl From<Introduction> for Signed {
    fn from(said: Introduction) -> Self {
        let text = serde_json::to_string(&said).expect("an introduction has only string keys and finite numbers");
        Self { text, said }
    }
}

impl TryFrom<String> for Signed {
    type Error = ProtocolError;

    fn try_from(text: String) -> Result<Self, ProtocolError> {
        at_most("hello.introduction", text.len(), MAX_INTRODUCTION_BYTES)?;
        let said: Introduction = serde_json::from_str(&text)?;
        said.check()?;
        Ok(Self { text, said })
    }
}

impl From<Signed> for String {
    fn from(signed: Signed) -> Self {
        signed.text
    }
}

/// What a device says about itself and signs; nobody else could.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The wallet that owns the device: only it may register the device on chain and stake on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Address>,
    /// For how long the agent's process had been running when it was challenged, seconds. A length of time and no moment: the device's clock
    /// may show anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_for_secs: Option<u64>,
}

impl Declared {
    /// Since when the agent runs, unix seconds on the clock of whoever challenged it at this moment of that clock.
    pub fn running_since_unix_secs(&self, challenged_unix_secs: i64) -> Option<i64> {
        self.running_for_secs.map(|secs| challenged_unix_secs.saturating_sub_unsigned(secs))
    }
}

/// Why a hello proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HelloError {
    /// The device id is not a base58 ed25519 public key.
    #[error("the device id is not a public key")]
    InvalidDeviceId,
    /// The signature is not one, or not of this key over this challenge.
    #[error("the signature does not prove the device's key")]
    InvalidSignature,
    /// The agent speaks other messages.
    #[error("protocol {0} is not spoken here; this is {PROTOCOL_VERSION}")]
    ProtocolNotSpoken(u16),
}

impl HelloError {
    /// Stable code for the `code` field of a refusal.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidDeviceId => "device_id_invalid",
            Self::InvalidSignature => "device_signature_invalid",
            Self::ProtocolNotSpoken(_) => "protocol_not_spoken",
        }
    }
}

impl Hello {
    /// Builds and signs the answer to a challenge.
    pub fn sign(key: &SigningKey, network: &str, nonce: &str, introduction: Introduction) -> Self {
        let public_key = key.verifying_key();
        let introduction = Signed::from(introduction);
        let signature = key.sign(&signed_bytes(network, nonce, public_key.as_bytes(), &introduction.text));
        Self {
            protocol: PROTOCOL_VERSION,
            device_id: device_id(public_key.as_bytes()),
            signature: STANDARD.encode(signature.to_bytes()),
            introduction,
        }
    }

    /// Checks the proof against the challenge that this connection was given; returns the device's public key.
    pub fn verify(&self, network: &str, nonce: &str) -> Result<[u8; 32], HelloError> {
        if self.protocol != PROTOCOL_VERSION {
            return Err(HelloError::ProtocolNotSpoken(self.protocol));
        }
        let public_key = parse_device_id(&self.device_id)?;
        let key = VerifyingKey::from_bytes(&public_key).map_err(|_| HelloError::InvalidDeviceId)?;
        let bytes = STANDARD.decode(&self.signature).map_err(|_| HelloError::InvalidSignature)?;
        let signature = Signature::from_slice(&bytes).map_err(|_| HelloError::InvalidSignature)?;
        // Strict: refuses keys of small order, with which one signature fits many messages.
        key.verify_strict(&signed_bytes(network, nonce, &public_key, &self.introduction.text), &signature)
            .map_err(|_| HelloError::InvalidSignature)?;
        Ok(public_key)
    }

    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("hello.device_id", self.device_id.len(), MAX_LABEL_BYTES)?;
        at_most("hello.signature", self.signature.len(), 128)
    }
}

/// The device's name: base58 of its public key.
pub fn device_id(public_key: &[u8; 32]) -> String {
    bs58::encode(public_key).into_string()
}

/// Reads a device's name back into its public key.
pub fn parse_device_id(device_id: &str) -> Result<[u8; 32], HelloError> {
    let mut public_key = [0; 32];
    match bs58::decode(device_id).onto(&mut public_key) {
        Ok(32) => Ok(public_key),
        _ => Err(HelloError::InvalidDeviceId),
    }
}

/// What is signed. Every part carries its length, so that no two challenges give the same bytes.
fn signed_bytes(network: &str, nonce: &str, public_key: &[u8; 32], introduction: &str) -> Vec<u8> {
    let parts = [DOMAIN, network.as_bytes(), nonce.as_bytes(), public_key, introduction.as_bytes()];
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}
