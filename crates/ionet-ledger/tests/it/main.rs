//! The ledger against the real program on a real local chain.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod builders;
mod forged;
mod genesis;
mod http;
mod keyed;
mod kit;
mod lifecycle;
mod lossy;
mod operator;
mod refusals;
mod submit;
mod supply;
mod world;
