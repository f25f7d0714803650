//! Sends earned IO on: burned, for incentives, to the treasury.

mod accounts;
mod process;

pub(crate) use process::process;
