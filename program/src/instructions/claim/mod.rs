//! Pays a beneficiary.

mod accounts;
mod process;

pub(crate) use process::process;
