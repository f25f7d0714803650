//! Tests of the rules: the design's worked examples, and the laws that must hold for every input.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test that overflows or unwraps an error has found what it looks for"
)]

mod book;
mod emission;
mod epochs;
mod error;
mod examples;
mod extremes;
mod fees;
mod liveness;
mod money;
mod oracle;
mod params;
mod pool;
mod reputation;
mod reward_checks;
mod rewards;
mod stake;
mod steps;
mod strategies;
mod worklog;
