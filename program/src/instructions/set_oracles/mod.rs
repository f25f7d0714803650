//! Sets the oracle set.

mod accounts;
mod process;

pub(crate) use process::process;
