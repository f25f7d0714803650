//! Withdraws overflow, or what is unstaked.

mod accounts;
mod process;

pub(crate) use process::process;
