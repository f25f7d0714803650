//! The control plane against the real program on a real local chain, with agents that speak the real messages.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod deployments;
mod epochs;
mod lifecycle;
mod market;
mod parts;
mod proofs;
mod requests;
mod restarts;
mod sharing;
mod sign_in;
mod tunnel;
mod world;
