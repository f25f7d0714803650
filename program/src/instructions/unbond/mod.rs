//! A verifier begins to take its bond out.

mod accounts;
mod process;

pub(crate) use process::process;
