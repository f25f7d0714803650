//! The rules of the economy (docs/economy.md) as pure functions.
//!
//! Every rule exists once, here: the on-chain program, the control plane, the command line and the model tests call the same code.
//! Nothing in this crate reads a clock, draws a random number or does I/O; `now` and data come in, decisions come out.
//! Amounts are integers in base units; charges round up, payouts round down, and what rounding leaves (dust) is returned, never lost.
#![no_std]

pub mod booking;
pub mod emission;
pub mod epochs;
pub mod error;
pub mod fees;
pub mod layout;
pub mod money;
pub mod multipliers;
pub mod oracle;
pub mod params;
pub mod pool;
pub mod reputation;
pub mod rewards;
pub mod slash;
pub mod stake;
pub mod supply;
pub mod worklog;

pub use error::{RuleError, RuleResult};
