//! Changes a payout wallet.

mod accounts;
mod process;

pub(crate) use process::process;
