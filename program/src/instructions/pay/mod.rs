//! Pays for a booking, in any number of stages.

mod accounts;
mod process;

pub(crate) use process::process;
