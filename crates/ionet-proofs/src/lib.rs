//! Hardware challenges (docs/economy.md, section 5): jobs that only the claimed hardware does in time, bound to one device and one moment,
//! and checked for a fraction of the work.
//!
//! A task is one job. [`product`] measures arithmetic speed, [`memory`] size and bandwidth of memory, [`clock`] the clock, [`transfer`] the
//! network. The hub drives an [`Examiner`], the agent a [`Prover`] over an [`Engine`]; both do no I/O, read no clock and draw no random
//! numbers (the agent's engine works on threads). What happened is kept as a [`Transcript`], from which anyone comes to the same verdict.
//!
//! Who cheats how, and what it meets:
//!
//! | | |
//! |---|---|
//! | works ahead, keeps answers, replays them | every seed follows from the task's fresh nonce ([`Seed`]) |
//! | has another device work for it | the seed and the signature are of one device key; the other device is late for its own test when both are tested at once ([`simultaneous`]) |
//! | computes a part of it | it commits to all of it before it knows what is opened; a share `f` that is right passes with `f^openings` |
//! | guesses at the check | wrong rows pass with 2^-31 each; blocks and chains are made again |
//! | has less memory | it makes the rest again, slower than it may scan |
//! | is slower | it is late, or its measured value is lower |
//! | turns its clock back | only the hub's time counts |
//!
//! What this does not show: a product is done by whatever arithmetic unit is fastest at small integers, tensor cores included; so the product alone
//! does not tell a small card with tensor cores from a large one without. Memory size and bandwidth do.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot go on fails"))]

#[cfg(target_endian = "big")]
compile_error!("blocks and rows are little-endian and hashed in place");

mod binding;
pub mod clock;
mod cpu;
mod engine;
mod examiner;
pub mod memory;
pub mod plan;
pub mod product;
mod prover;
mod random;
pub mod reference;
pub mod simultaneous;
pub mod terms;
mod transcript;
pub mod transfer;
pub mod tree;
mod verdict;

pub use binding::{Key, Seed};
pub use cpu::{Cpu, multiply};
pub use engine::{Engine, EngineError, MemoryWork, ProductWork, Stop};
pub use examiner::{Examiner, Nonces, Step};
pub use plan::Plan;
pub use prover::{Limits, Prover};
pub use reference::Reference;
pub use simultaneous::{Due, Slot};
pub use terms::Terms;
pub use transcript::{Event, MAX_TRANSCRIPT_BYTES, TRANSCRIPT_VERSION, Transcript, TranscriptError};
pub use verdict::{Failed, Failure, Measured, Verdict};

#[cfg(test)]
mod tests;
