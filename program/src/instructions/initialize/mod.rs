//! Creates the network: its account, the oracle account and the vaults.

mod accounts;
mod process;

pub(crate) use process::process;
