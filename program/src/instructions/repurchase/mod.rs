//! Converts worked USDC into IO in the protocol's pool.

mod accounts;
mod process;

pub(crate) use process::process;
