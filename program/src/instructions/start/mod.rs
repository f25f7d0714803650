//! The cluster runs: the customer's fees are earned.

mod accounts;
mod process;

pub(crate) use process::process;
