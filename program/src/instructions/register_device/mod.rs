//! Registers a device with its owner.

mod accounts;
mod process;

pub(crate) use process::process;
