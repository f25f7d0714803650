//! HTTP requests of customers, carried over the agent's connection to the dashboard of a workload that the agent runs.
//!
//! The hub chooses `request_id`, unique within the connection. For one request:
//!
//! - hub: [`HttpRequest`], then [`HttpBody`] chunks until one says `end` (none if the request itself said so);
//! - agent: [`HttpResponse`], then [`HttpBody`] chunks until one says `end`; or [`HttpError`] at any time instead of the rest;
//! - hub: [`HttpCancel`] at any time when the customer has left. The agent answers a cancelled request no more.
//!
//! Each direction may have at most [`WINDOW_CHUNKS`] chunks in flight: the receiver returns [`HttpCredit`] for the chunks that it has
//! passed on, and the sender waits when it has none left. So a slow reader holds back only its own request, and memory stays bounded.
//!
//! A request that carries `upgrade: websocket` may be answered with status 101; after that the chunks of both directions are the raw
//! bytes of the upgraded connection.
//!
//! No request names a host or port: the agent sends it to the dashboard port of that node and nowhere else. The agent adds the
//! cluster's token, and drops any `authorization` or `host` header that came along.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ProtocolError, WorkloadKey, at_most};

/// Most bytes in one chunk.
pub const MAX_CHUNK_BYTES: usize = 64 << 10;
/// Chunks that one direction of one request may have in flight.
pub const WINDOW_CHUNKS: u16 = 16;
/// Requests that one connection may have open at once.
pub const MAX_OPEN_REQUESTS: usize = 256;
/// Most bytes in a request's body: Ray's own bound on an uploaded working directory.
pub const MAX_REQUEST_BODY_BYTES: u64 = 512 << 20;
/// Longest path with query in bytes.
pub const MAX_PATH_BYTES: usize = 8 << 10;
/// Most headers of a request or response.
pub const MAX_HEADERS: usize = 100;
/// Most bytes in all headers of a request or response together.
pub const MAX_HEADERS_BYTES: usize = 32 << 10;

/// Headers about one connection rather than about the request (RFC 9110, section 7.6.1): neither end passes them on.
pub const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Headers of a request that are between the customer and the hub: neither end passes them on, and the agent adds what Ray wants to
/// see instead.
pub const OF_THE_HUB: [&str; 5] = ["authorization", "cookie", "expect", "host", "x-ray-authorization"];

/// One header: name in lower case, value.
pub type Header = (String, String);

/// Head of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Chosen by the hub, unique within the connection.
    pub request_id: u64,
    /// The node that it is for; must be a head that this agent runs.
    #[serde(flatten)]
    pub key: WorkloadKey,
    /// Method, such as `GET`.
    pub method: String,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Headers; hop-by-hop ones are dropped except for an upgrade.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// The request has no body (more).
    #[serde(default)]
    pub end: bool,
}

/// Part of a body, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpBody {
    /// Whose body.
    pub request_id: u64,
    /// The bytes; may be empty in the last one.
    #[serde(default)]
    pub chunk: Chunk,
    /// This was the last one.
    #[serde(default)]
    pub end: bool,
}

/// Permission to send more chunks of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCredit {
    /// Whose body.
    pub request_id: u64,
    /// How many more.
    pub chunks: u16,
}

/// The customer has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpCancel {
    /// Whose request.
    pub request_id: u64,
}

/// Head of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Whose response.
    pub request_id: u64,
    /// HTTP status.
    pub status: u16,
    /// Headers without hop-by-hop ones, except for an upgrade.
    #[serde(default)]
    pub headers: Vec<Header>,
}

/// A request that got no (full) answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpError {
    /// Whose request.
    pub request_id: u64,
    /// Why.
    pub code: HttpErrorCode,
    /// Why, for a person.
    pub message: String,
}

/// Why a request got no (full) answer. A hub maps them to statuses with [`HttpErrorCode::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpErrorCode {
    /// The agent runs no such head.
    UnknownWorkload,
    /// The head is not up yet, or no more.
    NotReady,
    /// Method, path or headers are not fit to be sent.
    InvalidRequest,
    /// More than [`MAX_REQUEST_BODY_BYTES`], or more chunks than the window allowed.
    TooLarge,
    /// More than [`MAX_OPEN_REQUESTS`] at once.
    TooManyRequests,
    /// The dashboard broke the connection.
    Upstream,
    /// The dashboard did not answer in time.
    Timeout,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

impl HttpErrorCode {
    /// HTTP status that fits, if the response has not begun.
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownWorkload => 404,
            Self::InvalidRequest => 400,
            Self::TooLarge => 413,
            Self::TooManyRequests => 429,
            Self::NotReady => 503,
            Self::Timeout => 504,
            Self::Upstream | Self::Unknown => 502,
        }
    }
}

/// At most [`MAX_CHUNK_BYTES`] bytes, base64 on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Chunk(Vec<u8>);

impl Chunk {
    /// Wraps bytes; `None` if they are too many.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MAX_CHUNK_BYTES).then_some(Self(bytes))
    }

    /// Cuts bytes into chunks, none for no bytes.
    pub fn split(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks(MAX_CHUNK_BYTES).map(|part| Self(part.to_vec()))
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({} bytes)", self.0.len())
    }
}

impl Serialize for Chunk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Chunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        Self::new(bytes).ok_or_else(|| de::Error::custom(format_args!("a chunk has at most {MAX_CHUNK_BYTES} bytes")))
    }
}

impl HttpRequest {
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("http_request.method", self.method.len(), 16)?;
        at_most("http_request.path", self.path.len(), MAX_PATH_BYTES)?;
        check_headers("http_request.headers", &self.headers)
    }
}

impl HttpResponse {
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        if !(100..=599).contains(&self.status) {
            return Err(ProtocolError::OutOfBounds { field: "http_response.status", bound: "100 to 599".to_owned() });
        }
        check_headers("http_response.headers", &self.headers)
    }
}

fn check_headers(field: &'static str, headers: &[Header]) -> Result<(), ProtocolError> {
    at_most(field, headers.len(), MAX_HEADERS)?;
    at_most(field, headers.iter().map(|(name, value)| name.len() + value.len()).sum(), MAX_HEADERS_BYTES)
}
