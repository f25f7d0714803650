//! Puts reserves into the pool.

mod accounts;
mod process;

pub(crate) use process::process;
