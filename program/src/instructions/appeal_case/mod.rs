//! The owner of a device appeals against a case.

mod accounts;
mod process;

pub(crate) use process::process;
