//! What the hub and an agent say to each other over the one connection that the agent opens to the hub.
//!
//! The agent connects to [`CONNECT_PATH`] with a websocket; each text frame is one JSON message, at most [`MAX_FRAME_BYTES`] long.
//!
//! 1. The hub sends [`HubMessage::Challenge`].
//! 2. The agent answers with [`AgentMessage::Hello`], signed by the device's own key.
//! 3. The hub sends [`HubMessage::Welcome`] and a [`HubMessage::Desired`], or [`HubMessage::Refused`] and closes.
//! 4. The agent sends [`AgentMessage::Observed`] at once and on every change, and [`AgentMessage::Heartbeat`] when it is due.
//! 5. The hub sends [`HubMessage::Desired`] whenever the intent changes: always the whole truth for this device.
//!
//! At random times, while the device is not hired, the hub sends a [`HubMessage::Task`]; the agent answers each of its stages with an
//! [`AgentMessage::Answer`], until the hub says how it went or breaks it off; see [`challenge`].
//!
//! Beside this, HTTP requests of customers travel through the same connection to a workload's dashboard; see [`tunnel`].
//!
//! A message or workload kind that a party does not know becomes `Unknown` and unknown fields are skipped, so that hub and agents
//! of different ages can talk. Decode with [`HubMessage::decode`] and [`AgentMessage::decode`]: they enforce every bound in this file.

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub mod challenge;
pub mod hardware;
pub mod heartbeat;
pub mod hello;
pub mod share;
pub mod tunnel;
pub mod workload;

pub use challenge::{Answer, Ask, Task, TaskId, TransferReport, TransferTicket};
pub use hardware::{Disk, Gpu, Hardware, HardwareKind, Isolation, NetworkInterface, Pcie};
pub use heartbeat::{Heartbeat, HeartbeatError, Load, Session};
pub use hello::{Declared, Hello, HelloError, Introduction, device_id, parse_device_id};
pub use share::{GpuGrant, GpuPart, NodeShare};
pub use tunnel::{Chunk, Header, HttpBody, HttpCancel, HttpCredit, HttpError, HttpErrorCode, HttpRequest, HttpResponse};
pub use workload::{
    DesiredState, DesiredWorkload, ObservedState, ObservedWorkload, RayEndpoints, RayHeadAddress, RayNode, RayRole, StopReason, Token,
    WorkloadKey, WorkloadSpec, WorkloadState,
};

/// Version of these messages; the agent names it in its hello, the hub refuses what it cannot speak.
pub const PROTOCOL_VERSION: u16 = 2;
/// Path of the hub's websocket endpoint for agents.
pub const CONNECT_PATH: &str = "/v1/agents/connect";
/// Longest frame either party accepts, in bytes.
pub const MAX_FRAME_BYTES: usize = 1 << 20;
/// Most workloads that one device may be asked to run.
pub const MAX_WORKLOADS: usize = 64;
/// Longest free text (label, detail, message, model name) in bytes.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Longest device label in bytes.
pub const MAX_LABEL_BYTES: usize = 64;
/// Shortest and longest heartbeat that an agent follows, in seconds; other values are clamped.
pub const HEARTBEAT_SECS: std::ops::RangeInclusive<u32> = 1..=300;

/// What the hub says to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HubMessage {
    /// First message of every connection: prove that you hold the device's key.
    Challenge {
        /// Fresh random text, used once.
        nonce: String,
        /// The hub's network; an agent that belongs to another one leaves.
        network: String,
    },
    /// The hello was accepted.
    Welcome {
        /// The device as the hub knows it: the base58 public key.
        device_id: String,
        /// How often the hub wants to hear from the agent, in seconds.
        heartbeat_secs: u32,
    },
    /// The hello was not accepted, or the device is no longer welcome; the hub closes after it.
    Refused {
        /// Stable reason in snake_case.
        code: String,
        /// The reason for a person.
        message: String,
    },
    /// A new secret that the device is to present when it connects again, instead of the last one.
    Credential {
        /// The secret.
        credential: Token,
    },
    /// Everything this device is to run.
    Desired(DesiredState),
    /// A part of a proof: do this now.
    Task(Task),
    /// The next question of a task.
    Ask(Ask),
    /// A task is no longer wanted, such as because the device is hired now: drop it and what it holds.
    TaskCancel {
        /// Which.
        task_id: TaskId,
    },
    /// Move these bytes from or to the hub now; the hub takes the time.
    Transfer(TransferTicket),
    /// A proof is over.
    ProofEnded {
        /// Whether all of it was right and in time.
        passed: bool,
        /// Stable reason in snake_case, when it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// What was measured, or the reason for a person.
        detail: String,
    },
    /// A customer's request for a workload's dashboard begins.
    HttpRequest(HttpRequest),
    /// More of a request's body.
    HttpBody(HttpBody),
    /// The hub has passed on some response chunks, so the agent may send as many more.
    HttpCredit(HttpCredit),
    /// The customer has left; forget the request.
    HttpCancel(HttpCancel),
    /// A kind of message that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What an agent says to the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentMessage {
    /// Answer to the challenge.
    Hello(Box<Hello>),
    /// Everything that this device runs now: a workload that is not listed does not run and has left nothing behind.
    Observed(ObservedState),
    /// The device is alive.
    Heartbeat(Heartbeat),
    /// What the device says to one stage of a task.
    Answer(Box<Answer>),
    /// A transfer was received.
    TransferReport(TransferReport),
    /// Head of the answer to a tunnelled request.
    HttpResponse(HttpResponse),
    /// More of a response's body.
    HttpBody(HttpBody),
    /// The agent has passed on some request chunks, so the hub may send as many more.
    HttpCredit(HttpCredit),
    /// A tunnelled request failed; nothing more comes for it.
    HttpError(HttpError),
    /// A kind of message that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Why a frame was not taken. The connection it came from should be closed.
#[derive(Debug, Error)]
pub enum ProtocolError {
    /// The frame is longer than [`MAX_FRAME_BYTES`].
    #[error("a frame of {bytes} bytes is longer than {MAX_FRAME_BYTES}")]
    TooLong {
        /// Length of the frame in bytes.
        bytes: usize,
    },
    /// The frame is not a message.
    #[error("the frame is not a message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A part of the message is out of its bounds.
    #[error("{field} is out of bounds: {bound}")]
    OutOfBounds {
        /// Which part.
        field: &'static str,
        /// The bound it broke.
        bound: String,
    },
}

impl ProtocolError {
    /// Stable code for the `code` field of [`HubMessage::Refused`] and for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "frame_too_long",
            Self::Malformed(_) => "frame_malformed",
            Self::OutOfBounds { .. } => "frame_out_of_bounds",
        }
    }
}

/// Checks a length bound in bytes or items.
fn at_most(field: &'static str, len: usize, max: usize) -> Result<(), ProtocolError> {
    if len <= max { Ok(()) } else { Err(ProtocolError::OutOfBounds { field, bound: format!("{len} is more than {max}") }) }
}

impl HubMessage {
    /// Reads one text frame of the hub.
    pub fn decode(frame: &str) -> Result<Self, ProtocolError> {
        let message: Self = parse(frame)?;
        match &message {
            Self::Challenge { nonce, network } => {
                at_most("challenge.nonce", nonce.len(), hello::MAX_NONCE_BYTES)?;
                at_most("challenge.network", network.len(), hello::MAX_NETWORK_BYTES)?;
            }
            Self::Welcome { device_id, .. } => at_most("welcome.device_id", device_id.len(), MAX_LABEL_BYTES)?,
            Self::Refused { code, message } => {
                at_most("refused.code", code.len(), MAX_LABEL_BYTES)?;
                at_most("refused.message", message.len(), MAX_TEXT_BYTES)?;
            }
            Self::Credential { credential } => at_most("credential", credential.reveal().len(), hello::MAX_SECRET_BYTES)?,
            Self::Desired(desired) => desired.check()?,
            Self::Task(task) => task.check()?,
            Self::Transfer(ticket) => ticket.check()?,
            Self::ProofEnded { code, detail, .. } => {
                at_most("proof_ended.code", code.as_ref().map_or(0, String::len), MAX_LABEL_BYTES)?;
                at_most("proof_ended.detail", detail.len(), MAX_TEXT_BYTES)?;
            }
            Self::HttpRequest(request) => request.check()?,
            Self::Ask(_) | Self::TaskCancel { .. } | Self::HttpBody(_) | Self::HttpCredit(_) | Self::HttpCancel(_) | Self::Unknown => {}
        }
        Ok(message)
    }

    /// Writes the message as one text frame.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("messages have only string keys and finite numbers")
    }
}

impl AgentMessage {
    /// Reads one text frame of an agent.
    pub fn decode(frame: &str) -> Result<Self, ProtocolError> {
        let message: Self = parse(frame)?;
        match &message {
            Self::Hello(hello) => hello.check()?,
            Self::Observed(observed) => observed.check()?,
            Self::HttpResponse(response) => response.check()?,
            Self::HttpError(error) => at_most("http_error.message", error.message.len(), MAX_TEXT_BYTES)?,
            Self::Answer(answer) => answer.check()?,
            Self::Heartbeat(_) | Self::TransferReport(_) | Self::HttpBody(_) | Self::HttpCredit(_) | Self::Unknown => {}
        }
        Ok(message)
    }

    /// Writes the message as one text frame.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("messages have only string keys and finite numbers")
    }
}

fn parse<T: for<'a> Deserialize<'a>>(frame: &str) -> Result<T, ProtocolError> {
    if frame.len() > MAX_FRAME_BYTES {
        return Err(ProtocolError::TooLong { bytes: frame.len() });
    }
    Ok(serde_json::from_str(frame)?)
}

#[cfg(test)]
mod tests;
