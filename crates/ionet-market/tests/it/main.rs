//! Placement held against the plain scan and against what every placement has to keep, over random networks, requests and events.
#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod events;
mod placement;
mod preflight;
mod requests;
mod resize;
mod world;
