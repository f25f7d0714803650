//! The `ionet` command: a network in this process, a client of any network, and the command line over both.
//!
//! `commands` has one file for each command. `network` puts a whole network together; `client` speaks to one over HTTP; `job` takes a
//! cluster through its life for `ionet run`. Nothing here knows a rule of the economy: amounts come from the network and are only added up.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot go on fails"))]

pub mod cli;
pub mod client;
pub mod commands;
pub mod context;
pub mod exit;
mod hints;
pub mod home;
mod interrupt;
pub mod job;
pub mod network;
pub mod output;
pub mod package;
pub mod progress;
pub mod quotes;
pub mod ray;
pub mod receipt;
pub mod scale;
pub mod signing;
pub mod views;
pub mod wallet;
