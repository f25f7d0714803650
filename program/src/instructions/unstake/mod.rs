//! Begins to unstake.

mod accounts;
mod process;

pub(crate) use process::process;
