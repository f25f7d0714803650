//! Stakes on a device.

mod accounts;
mod process;

pub(crate) use process::process;
