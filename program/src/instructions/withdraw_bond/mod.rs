//! A verifier takes its bond.

mod accounts;
mod process;

pub(crate) use process::process;
