//! A verifier bonds.

mod accounts;
mod process;

pub(crate) use process::process;
