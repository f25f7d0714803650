//! Refunds an ended cluster.

mod accounts;
mod process;

pub(crate) use process::process;
