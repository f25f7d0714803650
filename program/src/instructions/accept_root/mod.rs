//! A root that was agreed on counts.

mod accounts;
mod process;

pub(crate) use process::process;
