//! The evidence of one examination: everything that was asked, answered and found. Whoever has it can come to the same verdict, and its hash
//! names it in a slashing case on chain.
//!
//! What the device said stands under its signature, and what it was asked follows from what is in here. The times are the hub's word:
//! a `late` verdict is worth as much as the hub is trusted.

use ionet_types::agent::ProtocolError;
use ionet_types::agent::challenge::{Answer, Fixed, Task};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::examiner::{Examiner, Nonces, Step};
use crate::terms::Terms;
use crate::verdict::Verdict;

/// Version of the written form.
pub const TRANSCRIPT_VERSION: u16 = 1;
/// Longest written form: an answer of each stage and what is around them.
pub const MAX_TRANSCRIPT_BYTES: usize = 4 << 20;
/// Most that can happen in one examination: an answer for each stage.
const MAX_EVENTS: usize = 3;

/// Everything about one examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    version: u16,
    /// The network: its program's id.
    pub network: String,
    /// The device's public key.
    #[serde(with = "fixed")]
    pub device: [u8; 32],
    /// What it was given to do.
    pub task: Task,
    /// What it was held to.
    pub terms: Terms,
    /// What it was asked with.
    pub nonces: Nonces,
    /// When the task was sent, in milliseconds of the hub's clock.
    pub started_ms: u64,
    /// What came, in order.
    pub events: Vec<Event>,
    /// What was found; nothing while it is not over.
    pub verdict: Option<Verdict>,
}

/// An answer, or that none came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, in milliseconds of the hub's clock. The next question was sent at the same moment.
    pub at_ms: u64,
    /// The answer; nothing when the hub stopped waiting.
    pub answer: Option<Answer>,
}

/// Why a transcript is none.
#[derive(Debug, Error)]
pub enum TranscriptError {
    /// It is too long.
    #[error("the transcript is longer than {MAX_TRANSCRIPT_BYTES} bytes")]
    TooLong,
    /// It cannot be read.
    #[error("the transcript cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It says something in another way than it is written, so that its hash would name two texts.
    #[error("the transcript is not in its written form")]
    NotCanonical,
    /// It is of another version.
    #[error("transcript version {0} is not known; this is {TRANSCRIPT_VERSION}")]
    Version(u16),
    /// Its task could not have been asked.
    #[error("the task of the transcript is refused: {0}")]
    Task(#[from] ProtocolError),
    /// What happened in it does not lead to a verdict, or goes on after one.
    #[error("what happened in the transcript is not one examination")]
    Events,
    /// It says another verdict than it leads to.
    #[error("the transcript says {said}, and leads to {found}")]
    Verdict {
        /// Code of the verdict that it says.
        said: &'static str,
        /// Code of the one that it leads to.
        found: &'static str,
    },
}

impl TranscriptError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "transcript_too_long",
            Self::Malformed(_) => "transcript_malformed",
            Self::NotCanonical => "transcript_not_canonical",
            Self::Version(_) => "transcript_version_unknown",
            Self::Task(_) => "transcript_task_refused",
            Self::Events => "transcript_events_wrong",
            Self::Verdict { .. } => "transcript_verdict_wrong",
        }
    }
}

impl Transcript {
    pub(crate) fn new(network: &str, device: [u8; 32], task: Task, terms: Terms, nonces: Nonces, started_ms: u64) -> Self {
        let network = network.to_owned();
        Self { version: TRANSCRIPT_VERSION, network, device, task, terms, nonces, started_ms, events: Vec::new(), verdict: None }
    }

    /// The written form: the same bytes wherever it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a transcript has only string keys and whole numbers")
    }

    /// Reads the written form, from anybody.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TranscriptError> {
        if bytes.len() > MAX_TRANSCRIPT_BYTES {
            return Err(TranscriptError::TooLong);
        }
        let read: Self = serde_json::from_slice(bytes)?;
        if read.version != TRANSCRIPT_VERSION {
            return Err(TranscriptError::Version(read.version));
        }
        if read.to_bytes() == bytes { Ok(read) } else { Err(TranscriptError::NotCanonical) }
    }

    /// The hash that names it in a slashing case.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }

    /// Goes through it all again: every signature, every deadline, every check. Gives the verdict, which is the one that it says.
    pub fn replay(&self) -> Result<Verdict, TranscriptError> {
        if self.events.len() > MAX_EVENTS {
            return Err(TranscriptError::Events);
        }
        let mut examiner = Examiner::new(&self.network, self.device, self.task.clone(), self.terms, self.nonces, self.started_ms)?;
        let mut found = None;
        let mut last_ms = self.started_ms;
        for event in &self.events {
            // Nothing happens after the verdict, and time does not go back.
            if found.is_some() || event.at_ms < last_ms {
                return Err(TranscriptError::Events);
            }
            last_ms = event.at_ms;
            found = match &event.answer {
                Some(answer) => match examiner.receive(answer.clone(), event.at_ms) {
                    Step::Ask(_) => None,
                    Step::Verdict(verdict) => Some(verdict),
                },
                None => Some(examiner.expire(event.at_ms).ok_or(TranscriptError::Events)?),
            };
        }
        match (found, self.verdict) {
            (Some(found), Some(said)) if found == said => Ok(found),
            (Some(found), Some(said)) => Err(TranscriptError::Verdict { said: said.code(), found: found.code() }),
            _ => Err(TranscriptError::Events),
        }
    }
}

/// A key as it stands on the wire.
mod fixed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Fixed;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        Fixed(*bytes).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        Ok(Fixed::deserialize(deserializer)?.0)
    }
}
