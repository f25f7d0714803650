//! A verifier votes for a root.

mod accounts;
mod process;

pub(crate) use process::process;
