//! Sets up the supply side: its accounts and vaults.

mod accounts;
mod process;

pub(crate) use process::process;
