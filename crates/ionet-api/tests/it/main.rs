//! A running API over a chain, a hub and agents of its own, asked over HTTP as a client asks.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod agents;
mod april_2024;
mod authorisation;
mod bad_input;
mod drift;
mod events;
mod joins;
mod lifecycle;
mod limits;
mod lists;
mod market;
mod ray;
mod sign_in;
mod stakes;
mod stop;
mod twice;
mod world;
