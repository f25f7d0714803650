//! Gives notice of a co-stake.

mod accounts;
mod process;

pub(crate) use process::process;
