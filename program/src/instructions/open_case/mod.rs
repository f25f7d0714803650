//! Opens a case against a device.

mod accounts;
mod process;

pub(crate) use process::process;
