//! Sets entries of the multiplier table.

mod accounts;
mod process;

pub(crate) use process::process;
