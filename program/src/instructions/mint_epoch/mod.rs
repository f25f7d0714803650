//! Mints for an epoch that is over.

mod accounts;
mod process;

pub(crate) use process::process;
