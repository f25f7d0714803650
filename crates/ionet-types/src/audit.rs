//! The audit log: who did what to what, one entry after the other, each bound to all before it by a hash.
//!
//! Entry `n` has a digest of its own content, and a hash over the hash of entry `n - 1` and that digest. So whoever kept one hash ([`AuditHead`])
//! can tell whether anything up to there was changed, left out, put in or reordered since. The digests may be shown to everybody
//! ([`AuditLink`]): each covers a random salt, so that nobody can guess an entry and find it confirmed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Digest as _;
use thiserror::Error;
use utoipa::ToSchema;

use crate::ids::{Address, DeviceId, Sha256};

/// First words of what an entry's digest covers.
const ENTRY_DOMAIN: &[u8] = b"ionet audit entry v1";
/// First words of what an entry's hash covers.
const LINK_DOMAIN: &[u8] = b"ionet audit link v1";
/// Longest detail of an entry, bytes.
pub const MAX_AUDIT_DETAIL_BYTES: usize = 4_096;
/// Most links in one answer.
pub const MAX_AUDIT_LINKS: u32 = 10_000;

/// Who did something: `wallet:<address>`, `device:<id>` or `network`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A wallet, signed in or by an API key.
    Wallet(Address),
    /// A device, by its key.
    Device(DeviceId),
    /// The network itself, or somebody who proved nothing.
    Network,
}

/// A text names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not wallet:<address>, device:<id> or network")]
pub struct ParseActorError;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet(wallet) => write!(f, "wallet:{wallet}"),
            Self::Device(device) => write!(f, "device:{device}"),
            Self::Network => f.write_str("network"),
        }
    }
}

impl FromStr for Actor {
    type Err = ParseActorError;

    fn from_str(text: &str) -> Result<Self, ParseActorError> {
        match text.split_once(':') {
            None if text == "network" => Ok(Self::Network),
            Some(("wallet", wallet)) => wallet.parse().map(Self::Wallet).map_err(|_| ParseActorError),
            Some(("device", device)) => device.parse().map(Self::Device).map_err(|_| ParseActorError),
            _ => Err(ParseActorError),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)+) => {
        /// What can be done that the log tells of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AuditAction {
            $($(#[doc = $doc])+ $name,)+
        }

        impl AuditAction {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
        }
    };
}

actions! {
    /// A wallet made a join token.
    JoinTokenCreated = "join_token_created";
    /// A wallet revoked a join token.
    JoinTokenRevoked = "join_token_revoked";
    /// A wallet approved a device that asked by code.
    DeviceCodeApproved = "device_code_approved";
    /// A wallet denied a device that asked by code.
    DeviceCodeDenied = "device_code_denied";
    /// A device was admitted for the first time.
    DeviceJoined = "device_joined";
    /// A device was not admitted.
    DeviceRefused = "device_refused";
    /// A device presented a credential that was not its last one.
    CredentialReused = "credential_reused";
    /// An owner let a device enrol again.
    CredentialReset = "credential_reset";
    /// A device may not be hired or rewarded any more.
    DeviceBlocked = "device_blocked";
    /// A device's block was lifted.
    DeviceUnblocked = "device_unblocked";
    /// The operator has seen proof of what a device offers.
    DeviceAttested = "device_attested";
    /// An owner set on which terms a device is offered.
    DeviceTermsSet = "device_terms_set";
    /// An owner paused a device.
    DevicePaused = "device_paused";
    /// An owner resumed a device.
    DeviceResumed = "device_resumed";
    /// An owner took a device out for good.
    DeviceTerminated = "device_terminated";
    /// A device reported other hardware than before.
    HardwareChanged = "hardware_changed";
    /// A request to change something was refused.
    WriteRefused = "write_refused";
    /// Somebody writes far more often than anybody should.
    WriteRateAlarm = "write_rate_alarm";
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its number: 1, 2, 3 and so on without a gap.
    pub sequence: u64,
    /// When it was written, unix seconds on the hub's clock.
    pub at_unix_secs: i64,
    /// Who did it: `wallet:<address>`, `device:<id>` or `network`.
    #[schema(value_type = String, example = "device:9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    pub actor: Actor,
    /// What was done: a stable `snake_case` name.
    #[schema(example = "device_joined")]
    pub action: String,
    /// To what it was done: a device, a token, a path.
    pub subject: String,
    /// The wallet that it concerns beside the actor; it may read the entry, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Address>,
    /// More about it: JSON, as text, because its very bytes are covered by the digest.
    pub detail: String,
    /// Random bytes that keep the digest from being guessed, hexadecimal.
    pub salt: String,
    /// Hash of the entry before; zeros for the first.
    pub previous: Sha256,
    /// Hash over `previous` and this entry's digest.
    pub hash: Sha256,
}

impl AuditEntry {
    /// SHA-256 of the entry's own content. Every part carries its length, so that nothing can be moved between parts.
    pub fn digest(&self) -> Sha256 {
        let concerns = self.concerns.map(|wallet| wallet.to_string()).unwrap_or_default();
        let actor = self.actor.to_string();
        let mut digest = sha2::Sha256::new();
        for part in [
            ENTRY_DOMAIN,
            &self.sequence.to_le_bytes(),
            &self.at_unix_secs.to_le_bytes(),
            actor.as_bytes(),
            self.action.as_bytes(),
            self.subject.as_bytes(),
            concerns.as_bytes(),
            self.detail.as_bytes(),
            self.salt.as_bytes(),
        ] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Sha256(digest.finalize().into())
    }

    /// What everybody may see of it.
    pub fn link(&self) -> AuditLink {
        AuditLink { sequence: self.sequence, digest: self.digest() }
    }
}

/// An entry as everybody may see it: nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditLink {
    /// The entry's number.
    pub sequence: u64,
    /// The entry's digest.
    pub digest: Sha256,
}

/// Some links, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditLinkList {
    /// The links, without a gap.
    pub items: Vec<AuditLink>,
}

/// The log's last entry: whoever keeps it can later hold the operator to everything up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditHead {
    /// Number of the last entry; 0 when there is none.
    pub sequence: u64,
    /// Its hash; zeros when there is none.
    pub hash: Sha256,
}

impl AuditHead {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { sequence: 0, hash: Sha256([0; 32]) };

    /// The head after one more entry with this digest.
    #[must_use]
    pub fn after(self, link: AuditLink) -> Self {
        let mut hash = sha2::Sha256::new();
        hash.update(LINK_DOMAIN);
        hash.update(self.hash.0);
        hash.update(link.digest.0);
        Self { sequence: link.sequence, hash: Sha256(hash.finalize().into()) }
    }
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

impl FromStr for AuditHead {
    type Err = ParseHeadError;

    fn from_str(text: &str) -> Result<Self, ParseHeadError> {
        let (sequence, hash) = text.split_once(':').ok_or(ParseHeadError)?;
        let (Ok(sequence), Ok(hash)) = (sequence.parse(), hash.parse()) else { return Err(ParseHeadError) };
        Ok(Self { sequence, hash })
    }
}

/// A text is no head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a number, a colon and 64 lower-case hexadecimal digits")]
pub struct ParseHeadError;

/// Where a log does not fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AuditBreak {
    /// An entry is missing, comes twice or is out of order.
    #[error("entry {expected} should follow, and entry {found} does")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// An entry's content, or one before it, is not what was written.
    #[error("entry {sequence} is not what was written")]
    Changed {
        /// The first entry that does not fit.
        sequence: u64,
    },
    /// The log ends before the head that is known.
    #[error("the log ends at entry {found}, and there was an entry {expected}")]
    Short {
        /// Number of the head that is known.
        expected: u64,
        /// Number of the last entry.
        found: u64,
    },
    /// The log goes on after the head that it is said to have.
    #[error("the log goes on after entry {expected}, which is said to be its last")]
    Long {
        /// Number of the head that is known.
        expected: u64,
    },
}

impl AuditBreak {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Gap { .. } => "audit_gap",
            Self::Changed { .. } => "audit_changed",
            Self::Short { .. } => "audit_short",
            Self::Long { .. } => "audit_long",
        }
    }
}

/// Walks a log from its first entry, and stops at the first that does not fit.
#[derive(Debug, Clone, Copy)]
pub struct AuditWalk {
    head: AuditHead,
    /// A head that somebody kept, which the log must pass through.
    kept: Option<AuditHead>,
}

impl AuditWalk {
    /// Before the first entry. `kept` is a head from earlier, if one was kept.
    pub const fn new(kept: Option<AuditHead>) -> Self {
        Self { head: AuditHead::EMPTY, kept }
    }

    /// The next link.
    pub fn link(&mut self, link: AuditLink) -> Result<(), AuditBreak> {
        let expected = self.head.sequence.saturating_add(1);
        if link.sequence != expected {
            return Err(AuditBreak::Gap { expected, found: link.sequence });
        }
        self.head = self.head.after(link);
        match self.kept {
            Some(kept) if kept.sequence == self.head.sequence && kept != self.head => Err(AuditBreak::Changed { sequence: kept.sequence }),
            _ => Ok(()),
        }
    }

    /// The next entry, in whole.
    pub fn entry(&mut self, entry: &AuditEntry) -> Result<(), AuditBreak> {
        let before = self.head;
        self.link(entry.link())?;
        let fits = entry.previous == before.hash && entry.hash == self.head.hash;
        if fits { Ok(()) } else { Err(AuditBreak::Changed { sequence: entry.sequence }) }
    }

    /// The end: the log must reach both the head that was kept and the one that it is said to have.
    pub fn end(self, said: Option<AuditHead>) -> Result<AuditHead, AuditBreak> {
        let found = self.head.sequence;
        if let Some(kept) = self.kept.filter(|kept| kept.sequence > found) {
            return Err(AuditBreak::Short { expected: kept.sequence, found });
        }
        match said {
            Some(said) if said.sequence > found => Err(AuditBreak::Short { expected: said.sequence, found }),
            Some(said) if said.sequence < found => Err(AuditBreak::Long { expected: said.sequence }),
            Some(said) if said != self.head => Err(AuditBreak::Changed { sequence: found }),
            _ => Ok(self.head),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log(lengths: &[usize]) -> Vec<AuditEntry> {
        let mut head = AuditHead::EMPTY;
        let mut entries = Vec::new();
        for (index, length) in lengths.iter().enumerate() {
            let mut entry = AuditEntry {
                sequence: index as u64 + 1,
                at_unix_secs: (100 + index as u64).cast_signed(),
                actor: if index % 2 == 0 { Actor::Network } else { Actor::Wallet(Address([index as u8; 32])) },
                action: AuditAction::ALL[index % AuditAction::ALL.len()].code().to_owned(),
                subject: "x".repeat(*length),
                concerns: (index % 3 == 0).then_some(Address([7; 32])),
                detail: "{}".to_owned(),
                salt: format!("{index:032x}"),
                previous: head.hash,
                hash: head.hash,
            };
            head = head.after(entry.link());
            entry.hash = head.hash;
            entries.push(entry);
        }
        entries
    }

    fn walk(entries: &[AuditEntry], kept: Option<AuditHead>) -> Result<AuditHead, AuditBreak> {
        let mut walk = AuditWalk::new(kept);
        for entry in entries {
            walk.entry(entry)?;
        }
        walk.end(None)
    }

    /// The same log, with every hash after the change made to fit again: what an operator who wants to deceive would do.
    fn forged(entries: &[AuditEntry]) -> Vec<AuditEntry> {
        let mut head = AuditHead::EMPTY;
        let mut forged = entries.to_vec();
        for (index, entry) in forged.iter_mut().enumerate() {
            entry.sequence = index as u64 + 1;
            entry.previous = head.hash;
            head = head.after(entry.link());
            entry.hash = head.hash;
        }
        forged
    }

    proptest! {
        #[test]
        fn any_change_is_found(lengths in prop::collection::vec(0_usize..5, 2..12), place: prop::sample::Index, how in 0..9_u8) {
            let honest = log(&lengths);
            let head = walk(&honest, None).expect("an honest log");
            let at = place.index(honest.len());
            let mut bent = honest.clone();
            match how {
                0 => bent[at].subject.push('y'),
                1 => bent[at].detail = "{\"a\":1}".to_owned(),
                2 => bent[at].at_unix_secs += 1,
                3 => bent[at].actor = Actor::Device(DeviceId([9; 32])),
                4 => bent[at].concerns = Some(Address([8; 32])),
                5 => { bent.remove(at); }
                // Not behind the last: a log may grow.
                6 => { let twice = bent[at].clone(); bent.insert(at.min(honest.len() - 2), twice); }
                7 => { let other = (at + 1) % bent.len(); bent.swap(at, other); }
                _ => bent[at].salt = "0".to_owned(),
            }
            // Against the head that is known, also when the forger makes all the hashes fit again.
            let found = walk(&bent, None).and_then(|found| if found == head { Ok(found) } else { Err(AuditBreak::Short { expected: head.sequence, found: found.sequence }) });
            prop_assert!(found.is_err());
            prop_assert!(walk(&forged(&bent), Some(head)).is_err());
            prop_assert!(walk(&honest, Some(head)).is_ok());
        }
    }

    #[test]
    fn the_first_entry_that_does_not_fit_is_named() {
        let honest = log(&[1, 2, 3, 4]);
        let mut bent = honest.clone();
        bent[2].subject.push('!');
        assert_eq!(walk(&bent, None), Err(AuditBreak::Changed { sequence: 3 }));
        bent.remove(1);
        assert_eq!(walk(&bent, None), Err(AuditBreak::Gap { expected: 2, found: 3 }));
        let head = walk(&honest, None).expect("honest");
        assert_eq!(walk(&honest[..3], Some(head)), Err(AuditBreak::Short { expected: 4, found: 3 }));
        assert_eq!(head.to_string().parse(), Ok(head));
        let mut walk = AuditWalk::new(None);
        for entry in &honest {
            walk.link(entry.link()).expect("honest");
        }
        let other = AuditHead { sequence: 3, ..head };
        assert_eq!(walk.end(Some(other)), Err(AuditBreak::Long { expected: 3 }));
        assert_eq!(walk.end(Some(head)), Ok(head));
    }

    #[test]
    fn actors_read_back() {
        for actor in [Actor::Network, Actor::Wallet(Address([1; 32])), Actor::Device(DeviceId([2; 32]))] {
            assert_eq!(actor.to_string().parse(), Ok(actor));
        }
        for text in ["", "wallet", "wallet:", "wallet:x", "network:1", "operator:1"] {
            assert_eq!(text.parse::<Actor>(), Err(ParseActorError));
        }
    }
}
