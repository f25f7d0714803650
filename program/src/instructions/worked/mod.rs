//! Writes a work log: its value leaves escrow.

mod accounts;
mod process;

pub(crate) use process::process;
